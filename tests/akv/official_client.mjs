// SPDX-License-Identifier: GPL-2.0-or-later
//
// usage: node official_client.mjs EMULATOR-FOLDER FOLDER-OF-MODULES
//
// The vendor's own client libraries against the emulator: what they accept, and
// the errors they tell apart, is what makes the emulator worth testing against.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";

const [, , folder, modules] = process.argv;
const require = createRequire(`${modules}/`);
const { KeyClient, CryptographyClient } = require("@azure/keyvault-keys");
const { ClientSecretCredential, ClientCertificateCredential, ClientAssertionCredential, ManagedIdentityCredential } =
  require("@azure/identity");

const tenant = "11111111-2222-3333-4444-555555555555";
const ports = Object.fromEntries(
  readFileSync(`${folder}/ports`, "ascii").trim().split("\n").map((line) => line.split(" ")),
);
const vaultUrl = `https://kv1.vault.localhost:${ports.vault}`;
const hsmUrl = `https://hsm1.managedhsm.localhost:${ports.vault}`;
const authority = { authorityHost: `https://login.localhost:${ports.login}`, disableInstanceDiscovery: true };
// a wrong answer must show, not be tried again for a minute
const once = { retryOptions: { maxRetries: 0 } };

let count = 0;
let failed = 0;

async function check(name, what) {
  count += 1;
  try {
    await what();
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${count} - ${name}\n# ${String(error.stack).replaceAll("\n", "\n# ")}`);
  }
}

const control = net.connect(Number(ports.control), "127.0.0.1");
const answers = control.setEncoding("utf8")[Symbol.asyncIterator]();

async function command(...words) {
  control.write(`${words.join(" ")}\n`);
  const { value } = await answers.next();
  assert.match(value, /^ok/, words.join(" "));
}

function clients(credential, url = vaultUrl) {
  const keys = new KeyClient(url, credential, once);
  return { keys, crypto: (id) => new CryptographyClient(id, credential, once) };
}

async function refusal(promise, status, code, inner) {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (reason) => reason,
  );
  assert.equal(error.statusCode, status, error.message);
  assert.equal(error.code ?? error.details?.error?.code, code);
  if (inner) {
    assert.equal(error.details.error.innerError.code, inner);
  }
}

const permissions = "get,list,create,update,delete,recover,purge,wrapKey,unwrapKey";
await command("secret", "app", "s3cret~x");
await command("federated", "app", "federated.token");
for (const who of ["app", "identity"]) {
  for (const vault of ["kv1", "hsm1"]) {
    await command("grant", who, vault, permissions);
  }
}

const secret = new ClientSecretCredential(tenant, "app", "s3cret~x", authority);
const { keys, crypto } = clients(secret);
const plain = randomBytes(32);
let first;

await check("a key is made and read", async () => {
  first = await keys.createRsaKey("root", { keySize: 3072, keyOps: ["wrapKey", "unwrapKey"] });
  const read = await keys.getKey("root");
  assert.equal(read.id, first.id);
  assert.equal(read.keyType, "RSA");
  assert.equal(read.key.n.length, 384);
  assert.equal(read.properties.enabled, true);
  assert.equal(read.properties.recoveryLevel, "Recoverable+Purgeable");
});
await check("wrapped and unwrapped", async () => {
  const { result, keyID } = await crypto(first.id).wrapKey("RSA-OAEP-256", plain);
  assert.equal(result.length, 384);
  assert.equal(keyID, first.id);
  const back = await crypto(first.id).unwrapKey("RSA-OAEP-256", result);
  assert.deepEqual(Buffer.from(back.result), plain);
});
await check("a tampered blob is a bad parameter", async () => {
  await refusal(crypto(first.id).unwrapKey("RSA-OAEP-256", new Uint8Array(384)), 400, "BadParameter");
});
await check("a roll makes a version, and the older one still opens", async () => {
  const { result } = await crypto(first.id).wrapKey("RSA-OAEP-256", plain);
  const second = await keys.rotateKey("root");
  assert.notEqual(second.id, first.id);
  assert.equal((await keys.getKey("root")).id, second.id);
  const back = await crypto(first.id).unwrapKey("RSA-OAEP-256", result);
  assert.deepEqual(Buffer.from(back.result), plain);
  const versions = [];
  for await (const properties of keys.listPropertiesOfKeyVersions("root")) {
    versions.push(properties.version);
  }
  assert.deepEqual(versions, [first.properties.version, second.properties.version]);
});
await check("a disabled key does not unwrap", async () => {
  const { result } = await crypto(first.id).wrapKey("RSA-OAEP-256", plain);
  await keys.updateKeyProperties("root", first.properties.version, { enabled: false });
  await refusal(crypto(first.id).unwrapKey("RSA-OAEP-256", result), 403, "Forbidden", "KeyDisabled");
  await keys.updateKeyProperties("root", first.properties.version, { enabled: true });
  await crypto(first.id).unwrapKey("RSA-OAEP-256", result);
});
await check("deleted, recovered", async () => {
  await keys.createRsaKey("mortal");
  const deleted = await (await keys.beginDeleteKey("mortal", { intervalInMs: 1 })).pollUntilDone();
  assert.ok(deleted.properties.scheduledPurgeDate > new Date());
  await refusal(keys.getKey("mortal"), 404, "KeyNotFound");
  await refusal(keys.createRsaKey("mortal"), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await (await keys.beginRecoverDeletedKey("mortal", { intervalInMs: 1 })).pollUntilDone();
  await keys.getKey("mortal");
});
await check("deleted, purged", async () => {
  await (await keys.beginDeleteKey("mortal", { intervalInMs: 1 })).pollUntilDone();
  await keys.purgeDeletedKey("mortal");
  await refusal(keys.getDeletedKey("mortal"), 404, "KeyNotFound");
});
await check("a removed permission", async () => {
  const { result } = await crypto(first.id).wrapKey("RSA-OAEP-256", plain);
  await command("grant", "app", "kv1", "get", "ForbiddenByPolicy");
  await refusal(crypto(first.id).unwrapKey("RSA-OAEP-256", result), 403, "Forbidden", "ForbiddenByPolicy");
  await command("grant", "app", "kv1", permissions);
});
await check("a network rule", async () => {
  await command("fault", "vault-op", "1:firewall");
  await refusal(keys.getKey("root"), 403, "Forbidden", "ForbiddenByFirewall");
});
await check("throttling", async () => {
  await command("fault", "vault-op", "1:throttle", "7");
  await refusal(keys.getKey("root"), 429, "Throttled");
});
await check("a claims challenge (CAE) is met with another token", async () => {
  await command("claims", "1");
  await keys.getKey("root");
  await command("claims", "0");
});
await check("a wrong client secret", async () => {
  const wrong = clients(new ClientSecretCredential(tenant, "app", "wrong", authority));
  await assert.rejects(wrong.keys.getKey("root"), /AADSTS7000215/);
});
await check("a client certificate", async () => {
  const path = `${folder}/client.pem`;
  await clients(new ClientCertificateCredential(tenant, "app", path, authority)).keys.getKey("root");
});
await check("a federated token", async () => {
  const credential = new ClientAssertionCredential(tenant, "app", async () => "federated.token", authority);
  await clients(credential).keys.getKey("root");
});
await check("a managed identity", async () => {
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = `http://127.0.0.1:${ports.imds}`;
  await clients(new ManagedIdentityCredential()).keys.getKey("root");
});
await check("the challenge's resource is checked by this client, too", async () => {
  const resource = "https://another.localhost";
  const field = `Bearer authorization="https://login.localhost:${ports.login}/${tenant}", resource="${resource}"`;
  await command("fault", "vault", "challenge", field);
  await assert.rejects(clients(secret).keys.getKey("root"), /challenge resource .* does not match/);
  await command("clear");
});
await check("an AES key of a Managed HSM wraps there", async () => {
  const hsm = clients(secret, hsmUrl);
  const key = await hsm.keys.createOctKey("aes", { hsm: true, keySize: 256, keyOps: ["wrapKey", "unwrapKey"] });
  const { result } = await hsm.crypto(key.id).wrapKey("A256KW", plain);
  assert.equal(result.length, 40);
  const back = await hsm.crypto(key.id).unwrapKey("A256KW", result);
  assert.deepEqual(Buffer.from(back.result), plain);
});
await check("a key is sent with a token only", async () => {
  const lines = readFileSync(`${folder}/requests`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const found = lines.filter((line) => line.body.includes(plain.toString("base64url")));
  assert.ok(found.length > 0);
  assert.ok(found.every((line) => line.token && line.path.includes("/wrapkey")));
});

control.end();
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
