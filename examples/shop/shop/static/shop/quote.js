// Asks for the quote again when something else is chosen; without this, the button "What do I get?" does.
"use strict";
const form = document.getElementById("ask");
const quote = document.getElementById("quote");
let latest = 0;
form.addEventListener("change", async () => {
  const number = ++latest;
  const data = new FormData(form);
  data.set("action", "quote");
  const answer = await fetch(location.href, {
    method: "POST",
    headers: { "X-Fragment": "quote" },
    body: new URLSearchParams(data),
  });
  if (answer.ok && !answer.redirected && number === latest) {
    quote.innerHTML = await answer.text(); // the server escapes what customers wrote
  }
});
form.addEventListener("submit", () => {
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", () => { // who goes back can send it again; it is the same return
  form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
});
