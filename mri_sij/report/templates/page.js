"use strict";
(() => {
  const body = document.body;
  const plates = [...document.querySelectorAll(".plate")];
  const said = document.querySelector(".said");
  const unsaid = said ? said.innerHTML : "";
  const boxes = new Map([...document.querySelectorAll("input[data-layer]")].map((box) => [box.dataset.layer, box]));
  let here = 0, light = 1, contrast = 1;

  const show = (layer, on) => {
    body.classList.toggle(layer === "t1" ? "no-t1" : `hide-${layer}`, !on);
    const box = boxes.get(layer);
    if (box) box.checked = on;
  };
  const toggle = (layer) => { const box = boxes.get(layer); if (box) show(layer, !box.checked); };
  for (const [layer, box] of boxes) {
    box.addEventListener("change", () => { show(layer, box.checked); box.blur(); });
    show(layer, box.checked);
  }

  const mark = (index) => {
    here = Math.max(0, Math.min(plates.length - 1, index));
    plates.forEach((plate, n) => plate.classList.toggle("here", n === here));
    document.querySelectorAll(".form tr[data-slice]").forEach((row) => row.classList.toggle("here", row.dataset.slice === plates[here].dataset.slice));
  };
  const go = (index) => { mark(index); plates[here].scrollIntoView({ block: "start" }); };

  const light_up = (key) => {
    document.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
    if (!key) { if (said) said.innerHTML = unsaid; return; }
    const joint = key.replace(/(intense|deep)$/, "");  // the two items of a joint light up all of its quadrants
    const chosen = joint === key ? `[data-key="${key}"]` : `.cell[data-key="${key}"], .spots [data-key^="${joint}"]`;
    document.querySelectorAll(chosen).forEach((one) => one.classList.add("lit"));
    const cell = document.querySelector(`.cell[data-key="${key}"]`);
    if (said && cell) { said.textContent = ""; const b = document.createElement("b"); b.textContent = cell.dataset.name; said.append(b, document.createElement("br"), cell.dataset.why); }
  };
  for (const one of document.querySelectorAll("[data-key]")) {
    one.addEventListener("mouseenter", () => light_up(one.dataset.key));
    one.addEventListener("mouseleave", () => light_up(null));
    one.addEventListener("focus", () => light_up(one.dataset.key));
    one.addEventListener("click", (event) => {
      const index = plates.findIndex((plate) => one.dataset.key.startsWith(`${plate.dataset.slice}-`));
      if (index >= 0 && one.classList.contains("cell")) go(index);
      light_up(one.dataset.key);
      event.preventDefault();
    });
  }
  for (const link of document.querySelectorAll(".form a")) link.addEventListener("click", (event) => {
    event.preventDefault();
    go(plates.findIndex((plate) => `#${plate.id}` === link.getAttribute("href")));
  });

  const brighten = (by, sharpen) => {
    light = Math.min(3, Math.max(0.3, light * by));
    contrast = Math.min(3, Math.max(0.3, contrast * sharpen));
    body.style.setProperty("--light", light.toFixed(3));
    body.style.setProperty("--contrast", contrast.toFixed(3));
  };
  const keys = {
    b: () => toggle("bones"), j: () => toggle("joint"), q: () => toggle("quadrants"), o: () => toggle("oedema"),
    t: () => { toggle("t1"); plates[here].scrollIntoView({ block: "start" }); },
    n: () => go(here + 1), p: () => go(here - 1), ArrowRight: () => go(here + 1), ArrowLeft: () => go(here - 1),
    "+": () => brighten(1.12, 1), "=": () => brighten(1.12, 1), "-": () => brighten(1 / 1.12, 1),
    "]": () => brighten(1, 1.12), "[": () => brighten(1, 1 / 1.12), 0: () => { light = contrast = 1; brighten(1, 1); },
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
