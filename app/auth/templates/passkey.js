// Fills the form of the page with what the browser's passkey answers, and sends it.
// https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON
"use strict";

const form = document.getElementById("passkey");
const button = document.getElementById("use");
const problem = document.getElementById("unusable");

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function read(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials]) {
    for (const each of list || []) each.id = bytes(each.id);
  }
  return options;
}

function written(credential) {
  const response = {};
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  for (const part of parts) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: {},
  });
}

button.addEventListener("click", async () => {
  problem.hidden = true;
  try {
    const publicKey = read(JSON.parse(form.dataset.options));
    const make = form.dataset.kind === "create";
    const keys = navigator.credentials;
    const credential = await (make ? keys.create({ publicKey }) : keys.get({ publicKey }));
    form.elements.answer.value = written(credential);
    form.submit();
  } catch {
    problem.hidden = false;
  }
});
