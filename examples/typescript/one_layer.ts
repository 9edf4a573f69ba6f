// One transparent layer into a PNG, through a running server: node one_layer.ts "a red apple" apple.png
import { writeFileSync } from "node:fs";
import { Client, runningServer } from "./acetate.ts";

const [prompt, path] = process.argv.slice(2);
if (prompt === undefined || path === undefined) {
  console.error("usage: node one_layer.ts PROMPT FILE.png");
  process.exit(2);
}
const client = await Client.connect(runningServer(), { name: "typescript example" });
const job = client.submit("foreground", { parameters: { prompt } });
for await (const event of job) {
  if (event.type === "progress") console.log(`${event.stage} ${event.step}/${event.steps}`);
  if (event.type === "layer") console.log(`${event.layer.name}: ${event.layer.width} x ${event.layer.height}`);
  if (event.type === "failed" || event.type === "error") console.error(event.failure.message, event.failure.hint ?? "");
}
for await (const event of client.export([job.id], "png")) if (event.type === "file") writeFileSync(path, event.data);
client.acknowledge(job);
client.close();
