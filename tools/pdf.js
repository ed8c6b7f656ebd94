// Put the pages of the built book on one page, for tools/pdf.py. Called in the page with its arguments.

/** Each page's article as a chapter of this document, behind a title page and the contents. */
async (pages) => {
  const parser = new DOMParser();
  const home = document.baseURI;
  const slugs = new Map(pages.map((name) => [`/${name}.html`, name.replace(/.*\//, "")]));
  const element = (tag, className, ...children) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children);
    return made;
  };

  async function chapter(path, slug) {
    const text = await (await fetch(path)).text();
    const article = parser.parseFromString(text, "text/html").querySelector("article");
    article.id = slug;
    for (const marked of article.querySelectorAll("[id]")) marked.id = `${slug}--${marked.id}`;
    for (const link of article.querySelectorAll("a[href]")) {
      const url = new URL(link.getAttribute("href"), new URL(path, home));
      if (url.hash.startsWith("#figure-")) { // on paper no figure takes a state
        link.replaceWith(...link.childNodes);
        continue;
      }
      const target = slugs.get(url.pathname);
      link.setAttribute("href", target ? `#${target}${url.hash && `--${decodeURIComponent(url.hash.slice(1))}`}` : url.href);
    }
    for (const image of article.querySelectorAll("img")) {
      image.src = new URL(image.getAttribute("src"), new URL(path, home)).href;
      image.loading = "eager";
    }
    return article;
  }

  /** Move the answers to the end of the chapter, and leave a link to each in its place. */
  function answersLast(article) {
    const found = [...article.querySelectorAll("details")];
    if (!found.length) return;
    const answers = element("section", "answers", element("h2", "", "Solutions and answers"));
    answers.firstChild.id = `${article.id}--answers`;
    found.forEach((details, i) => {
      const id = `${article.id}--answer-${i + 1}`;
      const summary = details.querySelector("summary");
      const isSolution = summary.textContent.trim() === "Solution";
      const asked = isSolution ? details.closest("section").querySelector(":scope > h3").cloneNode(true) : summary;
      asked.querySelector(".headerlink")?.remove();
      const title = element("h3", "", ...asked.cloneNode(true).childNodes);
      title.id = id;
      const link = element("a", "", isSolution ? "Solution" : "Answer");
      link.href = `#${id}`;
      details.replaceWith(element("p", "to-answer", ...(isSolution ? [] : [...summary.childNodes, " "]), link, " at the end of the chapter."));
      summary.remove();
      answers.append(title, ...details.childNodes);
    });
    article.append(answers);
  }

  const articles = [];
  for (const [path, slug] of slugs) {
    const article = await chapter(path, slug);
    answersLast(article);
    articles.push(article);
  }

  const contents = element("nav", "contents", element("h1", "", "Contents"));
  for (const article of articles) {
    for (const heading of article.querySelectorAll("h1, h2")) {
      const copy = heading.cloneNode(true);
      copy.querySelector(".headerlink")?.remove();
      const link = element("a", "", element("span", "title", ...copy.childNodes), element("span", "page", "000"));
      heading.id ||= heading.tagName === "H1" ? `${article.id}--title` : heading.parentElement.id + "--heading";
      link.href = `#${heading.id}`;
      contents.append(element("p", heading.tagName === "H1" ? "chapter" : "section", link));
    }
  }

  // Running heads: one named page a chapter.
  const plain = (heading) => heading.cloneNode(true).childNodes[0].textContent.trim();
  const rules = articles.map((article) => `
    article#${CSS.escape(article.id)} { page: ${article.id.replace(/^\d/, "n$&")}; }
    @page ${article.id.replace(/^\d/, "n$&")} { @top-center { content: ${JSON.stringify(plain(article.querySelector("h1")))};
      font: 9pt "Twice Sans", sans-serif; color: #566069; } }`);
  document.head.append(element("style", "", rules.join("\n")));

  const mark = document.querySelector(".brand svg").cloneNode(true);
  const title = element("section", "title-page", mark, element("h1", "", document.querySelector(".brand span").textContent),
    element("p", "", document.querySelector("footer p").textContent));
  document.body.replaceChildren(element("main", "", title, contents, ...articles));
}
