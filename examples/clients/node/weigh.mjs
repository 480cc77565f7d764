// Sends each line of standard input, a sizing request in JSON, and prints the verdict of each.
//
//     npm ci && node weigh.mjs < ../../seed.jsonl
//
// WEIGHBRIDGE_REDIS_URL says where the queue is; docs/protocol.md says what goes over it.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { createClient } from "redis";

const prefix = process.env.WEIGHBRIDGE_KEY_PREFIX ?? "weighbridge:";
const requests = prefix + "requests";
const results = prefix + "results";
const group = process.env.GROUP ?? "node-example"; // all programs of one group share the answers among them
const consumer = `${process.pid}`;
const patienceMs = 60_000;

const client = createClient({ url: process.env.WEIGHBRIDGE_REDIS_URL ?? "redis://127.0.0.1:6379/0" });
client.on("error", (error) => console.error(`server: ${error.message}`));
await client.connect();

// While this key is there, no new requests are taken.
const closed = await client.get(prefix + "intake");
if (closed !== null) {
  const { reason, retry_after } = JSON.parse(closed);
  console.error(`no requests are taken (${reason}): try again in ${retry_after} s`);
  await client.close();
  process.exit(75);
}

// Before anything is sent, so that no answer comes too early to be read.
try {
  await client.xGroupCreate(results, group, "$", { MKSTREAM: true });
} catch (error) {
  if (!error.message.startsWith("BUSYGROUP")) throw error;
}

// The id is chosen here: sent again after a lost connection, the request is still answered once.
const waiting = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const request = { request_id: randomUUID(), ...JSON.parse(line) };
  waiting.set(request.request_id, request);
  await client.xAdd(requests, "*", { request: JSON.stringify(request) });
}

const deadline = Date.now() + patienceMs;
while (waiting.size > 0 && Date.now() < deadline) {
  const read = await client.xReadGroup(group, consumer, { key: results, id: ">" }, { COUNT: 100, BLOCK: 1000 });
  for (const { id, message } of read?.[0]?.messages ?? []) {
    // At least once: an answer that was seen before, or that another program asked for, is only acknowledged.
    if (waiting.delete(message.request_id)) {
      const answer = JSON.parse(message.body);
      const told = answer.status === "ok" ? answer.verdict : `${answer.error.code}: ${answer.error.message}`;
      console.log(`${answer.request_id} ${told}`);
    }
    await client.xAck(results, group, id);
  }
}

for (const id of waiting.keys()) console.error(`no answer to ${id} came within ${patienceMs / 1000} s`);
await client.close();
process.exitCode = waiting.size > 0 ? 1 : 0;
