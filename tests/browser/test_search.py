"""The search of the built book: each question is answered first by the place where the thing is taught.

pytest tests/browser/test_search.py
"""

import re

import pytest
from accessible import assert_accessible
from notebooks import BOOK
from playwright.sync_api import expect

GLOSSARY = (BOOK / "glossary.md").read_text("utf-8")
TERM = r"^{} \[.+\]\{{\.language-zh\}}\n    .*\]\(([\w-]+)\.ipynb(#[\w-]+)?\)$"

# What a reader types, and the term of the glossary whose place is to come first.
TERMS = {
    "overfitting": "overfitting",
    "overfiting": "overfitting",
    "过拟合": "overfitting",
    "欠拟合": "underfitting",
    "backpropagation": "backpropagation",
    "backpropogation": "backpropagation",
    "back-propagation": "backpropagation",
    "反向传播": "backpropagation",
    "前向传播": "forward propagation",
    "梯度下降": "gradient descent",
    "gradient descent": "gradient descent",
    "gradiant descent": "gradient descent",
    "learning rate": "learning rate",
    "Learning Rates": "learning rate",
    "学习率": "learning rate",
    "cross entropy": "cross-entropy",
    "crossentropy": "cross-entropy",
    "cross-entropy": "cross-entropy",
    "交叉熵": "cross-entropy",
    "softmax": "softmax",
    "softmx": "softmax",
    "归一化指数函数": "softmax",
    "batch norm": "batch normalization",
    "batchnorm": "batch normalization",
    "batch normalisation": "batch normalization",
    "批量归一化": "batch normalization",
    "dropout": "dropout",
    "drop-out": "dropout",
    "momentum": "momentum",
    "动量": "momentum",
    "Adam": "Adam",
    "RMSprop": "RMSprop",
    "weight decay": "weight decay",
    "early stopping": "early stopping",
    "vanishing gradients": "vanishing gradient",
    "梯度消失": "vanishing gradient",
    "exploding gradient": "exploding gradient",
    "dead neuron": "dead neuron",
    "decision boundary": "decision boundary",
    "perceptron": "perceptron",
    "感知机": "perceptron",
    "normal equation": "normal equation",
    "condition number": "condition number",
    "maximum likelihood": "maximum likelihood",
    "logit": "logit, log-odds",
    "log odds": "logit, log-odds",
    "one-hot": "one-hot",
    "one hot": "one-hot",
    "log-sum-exp": "log-sum-exp",
    "calibration": "calibration",
    "confusion matrix": "confusion matrix",
    "AUC": "AUC",
    "ROC": "ROC curve, receiver operating characteristic",
    "Jacobian": "Jacobian",
    "雅可比矩阵": "Jacobian",
    "im2col": "im2col",
    "convolution": "convolution",
    "卷积": "convolution",
    "max pooling": "max pooling",
    "maxpooling": "max pooling",
    "receptive field": "receptive field",
    "感受野": "receptive field",
    "residual connection": "residual connection",
    "label smoothing": "label smoothing",
    "Grad-CAM": "Grad-CAM",
    "gradcam": "Grad-CAM",
    "saliency": "saliency map",
    "fine-tuning": "fine-tuning",
    "fine tuning": "fine-tuning",
    "迁移学习": "transfer learning",
    "catastrophic forgetting": "catastrophic forgetting, catastrophic interference",
    "PCA": "principal component analysis (PCA)",
    "SVD": "singular value decomposition (SVD)",
    "universal approximation": "universal approximation",
    "He initialization": "He initialisation",
    "cross validation": "cross-validation",
    "batch size": "batch size",
    "SGD": "stochastic gradient descent (SGD)",
}

# … and the end of the address that is to come first.
PLACES = {
    "3.24": "#eq-3-24",
    "(3.24)": "#eq-3-24",
    "equation 5.7": "#eq-5-7",
    "eq. 12.2": "#eq-12-2",
    "σ": "#eq-1-3",
    "sigma": "#eq-1-3",
    "η": "#eq-2-18",
    "λ": "#eq-3-14",
    "lambda": "#eq-3-14",
    "ŷ": "#eq-1-13",
    "y_hat": "#eq-1-13",
    "∂L/∂W": "#eq-2-19",
    "ℓ": "#eq-3-7",
    "relu_derivative": "#twice-relu_derivative",
    "relu derivative": "#twice-relu_derivative",
    "softmax_jacobian": "#twice-softmax_jacobian",
    "conv2d_kernel_gradient": "#twice-conv2d_kernel_gradient",
    "unbroadcast": "#twice-unbroadcast",
    "topological_order": "#in-the-right-order",
    "MaxPooling2D": "#twice-MaxPooling2D",
    "CosineDecay": "#twice-CosineDecay",
    "he_normal": "#twice-he_normal",
    "clip_by_global_norm": "#twice-clip_by_global_norm",
    "Four activations and their slopes": "#four-activations-and-their-slopes",
    "numbers that survive": "#numbers-that-survive",
    "baselines first": "#baselines-first",
}


@pytest.fixture(scope="module")
def answers(chromium, book_address):
    """Return the addresses that the search finds for each question."""
    page = chromium.new_page()
    page.goto(f"{book_address}/search.html")
    page.wait_for_function("typeof searchFor === 'function'")
    asked = [*TERMS, *PLACES]
    found = page.evaluate(
        """(asked) => Promise.all(
            asked.map(async (q) => (await searchFor(q)).map((r) => [r.address, r.title])))""",
        asked,
    )
    page.close()
    return dict(zip(asked, found, strict=True))


def introduced(term):
    """Return the address that the glossary gives for a term."""
    chapter, place = re.search(TERM.format(re.escape(term)), GLOSSARY, re.MULTILINE).groups()
    return f"book/{chapter}.html{place or ''}"


@pytest.mark.parametrize(("question", "term"), TERMS.items())
def test_term_is_found_where_it_is_introduced(answers, question, term):
    assert answers[question][0][0] == introduced(term), answers[question][:3]


@pytest.mark.parametrize(("question", "place"), PLACES.items())
def test_number_symbol_name_and_heading_are_found(answers, question, place):
    assert answers[question][0][0].endswith(place), answers[question][:3]


def results(page):
    return page.locator("#search-results li")


def test_result_leads_to_its_section(open_page, book_address):
    page = open_page(f"{book_address}/book/notation.html")
    page.keyboard.press("/")
    page.keyboard.type("backpropogation")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=backpropogation")
    expect(page.get_by_role("status")).to_contain_text("Places found")
    results(page).first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Backpropagation")


def test_results_follow_what_one_types(open_page, book_address):
    page = open_page(f"{book_address}/search.html")
    box = page.get_by_role("searchbox", name="Words to search for")
    box.fill("3.24")
    expect(results(page).first).to_contain_text("(3.24)")
    box.fill("qqqqzzzz")
    expect(page.get_by_role("status")).to_have_text("Nothing found.")
    box.fill("")
    expect(results(page)).to_have_count(0)


def test_excerpts_are_of_the_text(open_page, book_address):
    page = open_page(f"{book_address}/search.html?q=penguins")
    expect(page.get_by_role("status")).to_contain_text("Places found")
    texts = page.locator("#search-results .context").all_inner_texts()
    assert len(texts) > 3
    assert not [text for text in texts if "On this page" in text or "Previous" in text or "\\" in text]
    assert sum("penguin" in text.lower() for text in texts) > len(texts) / 2
    expect(page.locator("mark").first).to_be_visible()


def test_commands_under_an_accent_are_signs(book):
    index = (book / "_static" / "search-index.js").read_text("utf-8")
    assert not re.findall(r"\w[\u0302-\u0304][a-z]{2,}", index)
    assert "ε̂" in index


def test_index_is_fetched_when_something_is_asked(open_page, book_address):
    page = open_page(f"{book_address}/search.html")
    fetched = "performance.getEntriesByType('resource').filter(({name}) => /search-index/.test(name)).length"
    assert page.evaluate(fetched) == 0
    box = page.get_by_role("searchbox", name="Words to search for")
    for question in ["adam", "momentum"]:
        box.fill(question)
        expect(page.get_by_role("status")).to_contain_text("Places found")
    assert page.evaluate(fetched) == 1


def test_index_that_does_not_come_is_told(open_page, complaints, book_address):
    page = open_page(f"{book_address}/search.html")
    page.context.route("**/search-index.js", lambda route: route.abort())
    page.get_by_role("searchbox", name="Words to search for").fill("adam")
    expect(page.get_by_role("status")).to_contain_text("could not be fetched")
    page.close()
    assert any("search-index.js" in complaint for complaint in complaints)
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_results_are_accessible_and_fit_the_screen(open_page, book_address, theme):
    page = open_page(f"{book_address}/search.html?q=gradient", width=390, theme=theme)
    expect(results(page).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(page)


def test_search_works_from_the_disk(open_page, book):
    page = open_page((book / "search.html").as_uri() + "?q=softmax")
    expect(results(page).first).to_contain_text("softmax")


def test_slash_opens_the_search_on_a_phone_too(open_page, specimen_address):
    page = open_page(f"{specimen_address}/book/07-specimen.html", width=390)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Words to search for")).to_be_focused()
    page.keyboard.type("and/or")
    expect(page.get_by_role("searchbox", name="Words to search for")).to_have_value("and/or")
