// What a reader answered is kept in this browser, by chapter: told to its frames, saved as a file, cleared. Nothing leaves it.
(() => {
  const KEY = "twice-practice";
  const heard = new Map(); // the frames that asked, each with its chapter
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      return {}; // no storage, or not ours
    }
  };
  function store(chapter, answers) {
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...stored(), [chapter]: answers }));
    } catch {} // no storage: the answers last as long as the page
  }
  const tell = (frame) => {
    const answers = stored()[heard.get(frame)] ?? {};
    frame.postMessage({ twice: "state", state: { answers }, kept: true }, "*");
  };
  function save(chapter) {
    const text = JSON.stringify({ chapter: Number(chapter), answers: stored()[chapter] ?? {} }, null, 2);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `practice-chapter-${chapter}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  addEventListener("message", ({ source, data }) => {
    const frames = [...document.querySelectorAll(".explorable iframe")].map((frame) => frame.contentWindow);
    if (!data || !/^\d+$/.test(data.practice) || !frames.includes(source)) return;
    const chapter = data.practice;
    heard.set(source, chapter);
    if (data.twice === "ready") tell(source);
    if (data.twice === "state") store(chapter, { ...stored()[chapter], ...data.state.answers });
    if (data.twice === "export") save(chapter);
    if (data.twice === "clear") {
      store(chapter, {});
      heard.forEach((other, frame) => other === chapter && tell(frame));
    }
  });
})();
