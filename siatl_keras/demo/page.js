// All that is foreign goes into the page as text (textContent), never as markup.
"use strict";

const MOST_BARS = 6;
const element = (id) => document.getElementById(id);
let pairs = false;

function made(name, text, kind) {
  const found = document.createElement(name);
  if (text !== undefined) found.textContent = text;
  if (kind) found.className = kind;
  return found;
}

function say(text, isError) {
  element("message").textContent = text;
  element("message").className = isError ? "error" : "";
}

async function send(path, body, kind) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": kind }, body });
  if (response.ok) return response;
  throw new Error((await response.json()).error);
}

function answerInWords(answer) {
  if ("value" in answer) return answer.value.toPrecision(4);
  if ("labels" in answer) return answer.labels.join(", ") || "(no label)";
  return answer.label === null ? "(not sure enough)" : answer.label;
}

function bars(probabilities) {
  const sorted = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  return sorted.slice(0, MOST_BARS).map(([name, probability]) => {
    const row = made("div", undefined, "bar");
    const meter = made("meter");
    meter.value = probability;
    meter.setAttribute("aria-label", name);
    row.append(made("span", name), meter, made("span", probability.toFixed(3)));
    return row;
  });
}

function tokens(answer) {
  const line = made("p", undefined, "tokens");
  answer.tokens.forEach((token, number) => {
    const shown = made("span", token);
    shown.style.setProperty("--share", answer.shares[number].toFixed(3));
    shown.title = answer.weights[number].toFixed(4);
    line.append(shown, " ");
  });
  return line;
}

function shownAnswer(answer) {
  const article = made("article");
  const words = made("p");
  words.append(made("b", answerInWords(answer)));
  article.append(made("h3", answer.model), words);
  if (answer.probabilities) article.append(...bars(answer.probabilities));
  if (answer.tokens) article.append(tokens(answer));
  return article;
}

function show(rows) {
  element("answers").replaceChildren(...rows.map((row) => {
    const section = made("section");
    const heading = made("h2");
    for (const text of [row.text].flat()) heading.append(made("div", text, "text"));
    const models = made("div", undefined, "models");
    models.append(...row.answers.map(shownAnswer));
    section.append(heading, models);
    return section;
  }));
}

function texts() {
  const lines = (id) => element(id).value.split("\n");
  const firsts = lines("texts");
  if (!pairs) return firsts.filter((text) => text.trim());
  const seconds = lines("seconds");
  return firsts.map((text, row) => [text, seconds[row] || ""])
    .filter(([text]) => text.trim());
}

async function attempt(work) {
  element("submit").disabled = true;
  say("…");
  try {
    say((await work()) || "");
  } catch (error) {
    say(error.message, true);
  } finally {
    element("submit").disabled = false;
  }
}

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const body = JSON.stringify({ texts: texts() });
    show(await (await send("/answers", body, "application/json")).json());
  });
});

element("texts").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    element("ask").requestSubmit();
  }
});

element("file").addEventListener("change", () => attempt(async () => {
  const [file] = element("file").files;
  if (!file) return "";
  const path = `/file?name=${encodeURIComponent(file.name)}`;
  const labelled = await send(path, file, "application/octet-stream");
  const link = element("download");
  link.href = URL.createObjectURL(await labelled.blob());
  link.download = `${file.name.replace(/\.[^.]*$/, "")}.labelled.tsv`;
  link.textContent = `Save ${link.download}`;
  link.hidden = false;
  return "";
}));

fetch("/about").then((response) => response.json()).then((about) => {
  pairs = about.pairs;
  element("about").textContent =
    `${about.models.join(", ")}. Texts stay on this machine. Ctrl-Enter asks too.`;
  element("seconds").hidden = element("seconds-label").hidden = !pairs;
});
