// Everything that the TypeScript client can do, against a real server; prints what came as JSON.
// Usage: node story.js URL TOKEN FOLDER (where the fake engine's gates are opened)
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AcetateError, Client, contentId, type Job, type LayerReady } from "./acetate.ts";

const [url, token, folder] = process.argv.slice(2) as [string, string, string];
const address = { url, token };
const told: Record<string, unknown> = {};
const refused = async (asked: Promise<unknown>) => {
  try {
    await asked;
    return "nothing was refused";
  } catch (error) {
    return error instanceof AcetateError ? error.failure : String(error);
  }
};
const kinds = async (job: Job) => {
  const found: string[] = [];
  for await (const event of job) if (found.at(-1) !== event.type) found.push(event.type);
  return found;
};
const named = ({ layer, pixels }: LayerReady) => contentId(pixels, "rgba8", layer.width, layer.height) === layer.sha256;

const client = await Client.connect(address);
told["welcome"] = [client.welcome.protocol, client.welcome.oldest, client.welcome.newest, client.welcome.encoding];

// a layer in many parts, raw and compressed, and in formats whose bytes are not those of its name
const large = { parameters: { prompt: "a square @big:700", seed: 3 }, crop: false };
const first = client.submit("foreground", large);
const [square] = await first.layers();
told["large"] = [square?.pixels.length, square !== undefined && named(square)];
const zipped = await Client.connect(address, { encodings: ["zlib"] });
told["zipped"] = (await zipped.submit("foreground", large).layers()).map(named);
zipped.close();
const wide = (await client.submit("foreground", { ...large, format: "rgbaf32" }).layers())[0];
told["wide"] = [wide?.pixels.length, wide?.layer.sha256 === square?.layer.sha256];

// a seed that no double holds goes there and comes back
const seed = 2n ** 63n - 1n;
const [exact] = await client.submit("foreground", { parameters: { prompt: "exact", seed } }).layers();
told["seed"] = [exact?.layer.seed === seed, exact?.layer.name];
told["small seed"] = (await client.submit("foreground", { parameters: { prompt: "small", seed: 5 } }).layers())[0]?.layer.seed;

// an upload, and a task that needs it
const data = new Uint8Array(4 * 900 * 400).fill(200);
const sha256 = await client.upload({ width: 900, height: 400, format: "rgba8", data });
const again = await client.upload({ width: 900, height: 400, format: "rgba8", data });
const refined = client.submit("refine", {
  parameters: { prompt: "moss", strength: 0.5 },
  conditions: { source: { sha256, x: 7, y: 8 } },
  name: "a\u0000b\u202e",
  crop: false,
});
const [moss] = await refined.layers();
told["refined"] = [again === sha256, moss?.layer.x, moss?.layer.y, moss?.layer.width, moss?.layer.height, moss?.layer.name];

// previews, cancelling, and a connection that breaks in the middle of a job
told["watched"] = await kinds(client.submit("foreground", { parameters: { prompt: "slow @sleep:0.3", steps: 3 } }));
const stopped = client.submit("foreground", { parameters: { prompt: "never @gate:never" } });
const end: string[] = [];
for await (const event of stopped) {
  if (event.type === "started") client.cancel(stopped);
  end.push(event.type);
}
told["cancelled"] = end.at(-1);
const survivor = client.submit("scene", { parameters: { prompt: "kept @gate:open" } });
const story: string[] = [];
for await (const event of survivor) {
  if (event.type === "started" && !story.includes("started")) {
    client.drop();
    writeFileSync(join(folder, "open"), "");
  }
  if (event.type !== "progress" && event.type !== "preview") story.push(event.type);
}
told["survivor"] = [story.filter((type) => type === "layer").length, story.at(-1)];
told["attached"] = (await client.attach(survivor.id, [0]).layers()).map((one) => one.layer.index);

// the history, files, and what is refused
client.acknowledge(survivor);
const page = await client.history({ limit: 2 });
told["history"] = [page.entries.length, page.more, page.entries.map((one) => client.thumbnails.has(one.job))];
const job = client.export([survivor.id], "ora");
for await (const event of job) {
  if (event.type !== "file") continue;
  told["file"] = [event.data.length === event.file.bytes, contentId(event.data) === event.file.sha256];
  const inserted = client.insert(await client.upload(event.data), "ora", { x: 5 });
  told["inserted"] = (await inserted.layers()).map((one) => one.layer.name);
}
told["jobs"] = (await client.jobs()).jobs.some((one) => one.job === survivor.id);
told["discarded"] = (await client.discard(survivor.id)).job === survivor.id;
told["gone"] = await refused(client.attach(survivor.id).layers());
told["wrong"] = await refused(client.submit("foreground", { parameters: { prompt: "x", steps: 0 } }).layers());
told["missing"] = await refused(client.submit("refine", { conditions: { source: { sha256: "0".repeat(64) } } }).layers());
told["shape"] = await refused(client.upload({ width: 3, height: 3, format: "rgba8", data: new Uint8Array(5) }));
told["token"] = String(await refused(Client.connect({ url, token: "wrong" })));
client.close();
console.log(JSON.stringify(told));
