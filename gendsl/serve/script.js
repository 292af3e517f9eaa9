"use strict";
(() => {
  const told = JSON.parse(document.getElementById("form").textContent);
  const form = document.querySelector("form");
  const status = document.querySelector(".told");
  const shown = document.querySelector(".shown");
  let values = {count: told.first};
  let signature = told.signatures[0];
  let waiting = null; // what was chosen while samples were being drawn
  let busy = false;

  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const field = (name, label, control, doc) => {
    const parts = [make("label", {htmlFor: `in-${name}`, textContent: label}), control];
    if (doc) {
      parts.push(make("small", {id: `doc-${name}`, textContent: doc}));
      control.querySelectorAll?.("input,select,textarea").forEach(one => one.setAttribute("aria-describedby", `doc-${name}`));
    }
    return make("div", {className: "field"}, ...parts);
  };

  // A slider and a field with one value; the field may go beyond the slider.
  const slider = (name, label, least, most, step, ends, doc, dice) => {
    const range = make("input", {type: "range", id: `in-${name}`, min: least, max: most, step, value: values[name]});
    const number = make("input", {type: "number", min: ends[0], max: ends[1], step, value: values[name], required: true});
    number.setAttribute("aria-label", `${label}, as a number`);
    const set = value => { values[name] = range.value = number.value = value; };
    range.addEventListener("input", () => { values[name] = number.value = Number(range.value); });
    range.addEventListener("change", draw);
    number.addEventListener("change", () => { if (number.checkValidity()) { values[name] = Number(number.value); range.value = number.value; draw(); } });
    const pair = make("div", {className: "pair"}, range, number);
    if (dice) {
      const other = make("button", {type: "button", textContent: "other"});
      other.setAttribute("aria-label", "another seed");
      other.addEventListener("click", () => { set(Math.floor(Math.random() * (most + 1))); draw(); });
      pair.classList.add("dice");
      pair.append(other);
    }
    return field(name, label, pair, doc);
  };

  const control = input => {
    const name = input.name;
    if (!(name in values)) values[name] = input.default ?? {seed: 0, label: told.each, prompt: "", switch: false}[input.kind];
    switch (input.kind) {
      case "seed":
        return slider(name, name, 0, input.most, 1, [0, Number.MAX_SAFE_INTEGER], input.doc, true);
      case "truncation":
      case "temperature":
        return slider(name, name, input.least, input.most, 0.01, [input.least, input.most], input.doc);
      case "label": {
        const select = make("select", {id: `in-${name}`});
        select.append(make("option", {value: told.each, textContent: "each in turn"}));
        input.names.forEach((one, number) => select.append(make("option", {value: number, textContent: one})));
        select.value = values[name];
        select.addEventListener("change", () => { values[name] = select.value === told.each ? told.each : Number(select.value); draw(); });
        return field(name, name, select, input.doc);
      }
      case "prompt": {
        const area = make("textarea", {id: `in-${name}`, value: values[name], spellcheck: false, required: true});
        area.placeholder = input.text ? "How it begins" : "Tokens, as numbers: 12 7 3";
        area.addEventListener("input", () => { values[name] = area.value; });
        return field(name, name, area, input.doc);
      }
      default: {
        const box = make("input", {type: "checkbox", id: `in-${name}`, checked: Boolean(values[name])});
        box.addEventListener("change", () => { values[name] = box.checked; draw(); });
        return field(name, name, make("div", {}, box), input.doc);
      }
    }
  };

  const build = () => {
    form.replaceChildren();
    if (!signature) {
      form.append(make("p", {textContent: "This model takes arrays or pictures: call it from a program, as told below."}));
      return;
    }
    if (told.signatures.length > 1) {
      const ways = make("div", {className: "ways"});
      for (const one of told.signatures) {
        const radio = make("input", {type: "radio", name: "signature", value: one.name, checked: one === signature});
        radio.addEventListener("change", () => { signature = one; build(); form.querySelector("input[name=signature]:checked").focus(); draw(); });
        ways.append(make("label", {}, radio, make("span", {}, one.title + " ", make("code", {textContent: one.name}))));
      }
      form.append(make("fieldset", {}, make("legend", {textContent: "How"}), ways));
    }
    if (signature.doc) form.append(make("p", {className: "soft doc", textContent: signature.doc}));
    const fields = signature.inputs.map(control);
    if (signature.many) fields.push(slider("count", "how many", 1, told.limit, 1, [1, told.limit], ""));
    const button = make("button", {className: "main", type: "submit", textContent: "Draw"});
    const download = make("button", {type: "button", className: "download", textContent: "Download"});
    download.addEventListener("click", save);
    form.append(...fields, make("div", {className: "buttons"}, button, download));
    curl();
  };

  const chosen = more => JSON.stringify({
    signature: signature.name,
    count: values.count,
    inputs: Object.fromEntries(signature.inputs.map(one => [one.name, values[one.name]])),
    ...more,
  });

  const ask = async more => {
    const answer = await fetch("/draw", {method: "POST", headers: {"content-type": "application/json"}, body: chosen(more)});
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      throw new Error(said.error || `the server answered ${answer.status}`);
    }
    return answer;
  };

  const tell = (text, wrong = false) => {
    status.textContent = text;
    status.classList.toggle("wrong", wrong);
  };

  const failed = error => tell(error instanceof TypeError ? "The server does not answer: is it still running?" : `Not drawn: ${error.message}.`, true);

  async function draw() {
    if (busy) { waiting = true; return; }
    const empty = signature.inputs.find(one => one.kind === "prompt" && !values[one.name]);
    curl();
    if (empty) { tell("Write how it begins, then press Draw."); shown.replaceChildren(); return; }
    busy = true;
    const button = form.querySelector("button.main");
    tell("drawing…");
    const start = performance.now();
    try {
      const found = await (await ask({})).json();
      shown.replaceChildren(...found.outputs.flatMap(one => output(one, found.outputs.length > 1)));
      tell(`Drawn in ${((performance.now() - start) / 1000).toFixed(2)} s. The same choices give the same samples.`);
    } catch (error) {
      failed(error);
    } finally {
      busy = false;
      if (button) button.disabled = false;
    }
    if (waiting) { waiting = null; draw(); }
  }

  async function save() {
    try {
      const url = URL.createObjectURL(await (await ask({as: "zip"})).blob());
      make("a", {href: url, download: `${told.model}.zip`}).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      failed(error);
    }
  }

  const link = (one, type) => `data:${type};base64,${one.data}`;

  const output = (one, titled) => {
    const parts = titled ? [make("h2", {textContent: one.name.replaceAll("_", " ")})] : [];
    if (one.kind === "texts") return [...parts, ...one.texts.map(text => make("pre", {textContent: text}))];
    if (one.pictures.length) {
      const wide = one.kind === "music" || one.kind === "points";
      const grid = make("div", {className: wide ? "pictures wide" : "pictures"});
      one.pictures.forEach((picture, number) => {
        const image = make("img", {src: link(picture, "image/png"), alt: `AI-generated sample ${number + 1}`});
        image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < 200));
        grid.append(make("a", {href: image.src, download: picture.name, title: `save ${picture.name}`}, image));
      });
      parts.push(grid);
    }
    if (one.songs) {
      parts.push(make("ul", {className: "songs"}, ...one.songs.map(song =>
        make("li", {}, make("a", {className: "button", href: link(song, "audio/midi"), download: song.name, textContent: song.name})))));
    }
    if (one.rows.length) {
      const head = make("tr", {}, ...one.columns.map(name => make("th", {scope: "col", textContent: name})));
      const rows = one.rows.map(row => make("tr", {}, ...row.map(cell => make("td", {textContent: cell}))));
      parts.push(make("div", {className: "wide", tabIndex: 0}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
      if (one.left) parts.push(make("p", {className: "soft", textContent: `and ${one.left} more in the download`}));
    }
    return parts;
  };

  // What a program would send: plain values, as far as the form knows them.
  function curl() {
    if (!signature) return;
    const inputs = {};
    if (signature.counted) inputs[signature.counted] = values.count;
    for (const one of signature.inputs) {
      const value = values[one.name];
      inputs[one.name] = one.kind === "label" ? [value === told.each ? 0 : value] : one.kind === "prompt" ? [[1, 2, 3]] : value;
    }
    const body = JSON.stringify({signature_name: signature.name, inputs});
    document.querySelector(".curl").textContent = `curl -d '${body}' ${location.origin}/v1/models/${encodeURIComponent(told.model)}:predict`;
  }

  form.addEventListener("submit", event => { event.preventDefault(); draw(); });
  build();
  if (signature) draw();
})();
