"use strict";
(() => {
  const body = document.body;
  const plates = [...document.querySelectorAll(".plate")];
  let here = 0;
  const mark = (index) => {
    here = Math.max(0, Math.min(plates.length - 1, index));
    plates.forEach((plate, n) => plate.classList.toggle("here", n === here));
  };
  const go = (index) => { mark(index); plates[here].scrollIntoView({ block: "start" }); };
  for (const box of document.querySelectorAll("input[data-layer]")) {
    box.addEventListener("change", () => {
      body.classList.toggle(`hide-${box.dataset.layer}`, !box.checked);
      for (const other of document.querySelectorAll(`input[data-layer="${box.dataset.layer}"]`)) other.checked = box.checked;
      box.blur();
    });
  }
  const toggle = (layer) => { const box = document.querySelector(`input[data-layer="${layer}"]`); if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change")); } };
  let running = null;
  const flicker = () => {
    if (running) { clearInterval(running); running = null; body.classList.remove("swap"); return; }
    running = setInterval(() => body.classList.toggle("swap"), 500);
  };
  const keys = {
    f: () => body.classList.toggle("swap"), a: flicker, c: () => toggle("change"), j: () => toggle("joint"),
    ArrowRight: () => go(here + 1), ArrowLeft: () => go(here - 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") { body.classList.add("hide-all"); event.preventDefault(); return; }
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (act && plates.length) { act(); event.preventDefault(); }
    if (/^[1-9]$/.test(event.key) && Number(event.key) <= plates.length) { go(Number(event.key) - 1); event.preventDefault(); }
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") body.classList.remove("hide-all"); });
  window.addEventListener("blur", () => body.classList.remove("hide-all"));
  plates.forEach((plate, n) => plate.addEventListener("mouseenter", () => mark(n)));
  if (plates.length) mark(0);
})();
