// A client of Acetate's server in one file, for Node.js (`npm install ws`). What the messages mean says docs/protocol.md; their
// types are in messages.ts, which `acetate protocol --schema typescript` wrote. It reconnects by itself, and its jobs go on.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { WebSocket } from "ws";
import type {
  Cancelled, Discarded, Engine, EngineValue, Error as Refusal, Export, Failed, Failure, File, Finished, FromClient, FromServer,
  HeaderFromServer, History, Insert, Jobs, Layer, ListHistory, PreviewFrame, Progress, Queued, Started, Submit, Upload, Welcome,
} from "./messages.ts";

export const PROTOCOL = 1;
const UPLOAD_PART = 1 << 20;
const RETRY_SECONDS = [0.1, 0.5, 1, 2, 5, 10];
const ENDED_BY_ERROR = ["submit", "insert", "export", "attach"];

export type PixelFormat = "rgba8" | "bgra8" | "rgba16" | "rgbaf32" | "gray8";
export interface Picture { width: number; height: number; format: PixelFormat; data: Uint8Array }
export interface LayerReady { type: "layer"; layer: Layer; pixels: Uint8Array }
export interface FileReady { type: "file"; file: File; data: Uint8Array }
export interface PreviewReady { type: "preview"; preview: PreviewFrame; pixels: Uint8Array }
export type End = Finished | Failed | Cancelled | Refusal;
export type JobEvent = Queued | Started | Progress | PreviewReady | LayerReady | FileReady | End;
type Order = Submit | Insert | Export;
type Answer = Jobs | History | Discarded;

/** What the server refused, or why there is no connection; `failure` has a code for programs and a hint for people. */
export class AcetateError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A message as text. A `bigint` becomes a plain number of JSON: seeds go up to 2^63 - 1, where a `number` is not exact. */
export function toJson(value: unknown): string {
  const marked = JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `\u0000${one}` : one));
  return marked.replace(/"\\u0000(-?\d+)"/g, "$1");
}

/** A message from text; whole numbers that a `number` would round become `bigint`. */
export function fromJson(text: string): unknown {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (one) =>
    one.startsWith('"') || Number.isSafeInteger(Number(one)) ? one : `"\\u0000${one}"`,
  );
  return JSON.parse(marked, (_, one) => (typeof one === "string" && /^\u0000-?\d+$/.test(one) ? BigInt(one.slice(1)) : one));
}

/** The name of a picture or a file on the wire. */
export function contentId(data: Uint8Array, format = "file", width = 0, height = 0): string {
  return createHash("sha256").update(`${format} ${width} ${height}\n`).update(data).digest("hex");
}

/** Where a server of this user runs, from its server.json. Throws when there is none. */
export function runningServer(): { url: string; token: string } {
  const home = homedir();
  const states: Partial<Record<string, string>> = {
    darwin: join(home, "Library/Application Support/acetate"),
    win32: join(process.env["LOCALAPPDATA"] ?? home, "acetate"),
  };
  const state = states[process.platform] ?? join(process.env["XDG_STATE_HOME"] ?? join(home, ".local/state"), "acetate");
  return JSON.parse(readFileSync(join(process.env["ACETATE_HOME"] ?? state, "server.json"), "utf8"));
}

/** A job's story, to be iterated once: it ends with `finished`, `failed`, `cancelled`, or the `error` that refused it. */
export class Job implements AsyncIterable<JobEvent> {
  readonly id: string;
  readonly order: Order | undefined;
  readonly have = new Set<number>();
  accepted = false;
  over = false;
  #told: JobEvent[] = [];
  #wake: () => void = () => {};

  constructor(id: string, order?: Order) {
    this.id = id;
    this.order = order;
  }

  tell(event: JobEvent): void {
    if (this.over) return;
    if (event.type !== "error") this.accepted = true;
    if (event.type === "layer") this.have.add(event.layer.index);
    this.over = ["finished", "failed", "cancelled", "error"].includes(event.type);
    this.#told.push(event);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobEvent> {
    for (;;) {
      const event = this.#told.shift();
      if (event !== undefined) yield event;
      else if (this.over) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** All layers, when the job has finished. Throws `AcetateError` when it ended otherwise. */
  async layers(): Promise<LayerReady[]> {
    const layers: LayerReady[] = [];
    for await (const event of this) {
      if (event.type === "layer") layers.push(event);
      if (event.type === "failed" || event.type === "error") throw new AcetateError(event.failure);
      if (event.type === "cancelled") throw new AcetateError({ code: "cancelled", message: `${this.id} was cancelled` });
    }
    return layers;
  }
}

/** What comes in parts: a layer's pixels, or a file. */
class Arriving {
  readonly announced: Layer | File;
  readonly data: Uint8Array;
  #received = 0;

  constructor(announced: Layer | File) {
    this.announced = announced;
    this.data = new Uint8Array(announced.bytes);
  }

  /** Take a part; true when it was the last. The first part's offset is not 0 when the client already had what comes before. */
  take(offset: number, part: Uint8Array): boolean {
    this.data.set(part, offset);
    this.#received = offset + part.length;
    return this.complete;
  }

  get complete(): boolean {
    return this.#received === this.data.length;
  }
}

interface Sending { announcement: Upload; data: Uint8Array; done: (name: string) => void; failed: (error: Error) => void }
interface Waiting { done: (answer: Answer) => void; failed: (error: Error) => void }
export interface Options { name?: string; session?: string; formats?: string[]; encodings?: string[] }

/** One connection, made again when it is lost. `engine` is what the server said last about models and tasks. */
export class Client {
  welcome!: Welcome;
  engine!: EngineValue;
  readonly thumbnails = new Map<string, Picture>();
  readonly #address: { url: string; token: string };
  readonly #options: Required<Options>;
  readonly #jobs = new Map<string, Job>();
  readonly #arriving = new Map<string, Arriving>();
  readonly #uploads = new Map<string, Sending>();
  readonly #waiting = new Map<string, Waiting[]>();
  #unsaid: FromClient[] = [];
  #attempts = 0;
  #socket: WebSocket | undefined;
  #closed = false;

  private constructor(address: { url: string; token: string }, options: Options) {
    this.#address = address;
    const session = randomBytes(16).toString("hex");
    this.#options = { name: "typescript example", session, formats: ["rgba8"], encodings: ["raw", "zlib"], ...options };
  }

  static async connect(address: { url: string; token: string }, options: Options = {}): Promise<Client> {
    const client = new Client(address, options);
    await client.#open();
    return client;
  }

  submit(task: string, order: Omit<Submit, "type" | "job" | "task"> = {}): Job {
    return this.#ask({ type: "submit", job: newId(), task, ...order });
  }

  insert(sha256: string, file: Insert["file"], place: { x?: number; y?: number } = {}): Job {
    return this.#ask({ type: "insert", job: newId(), sha256, file, ...place });
  }

  export(jobs: string[], file: Export["file"]): Job {
    return this.#ask({ type: "export", job: newId(), jobs, file });
  }

  /** The story of a job of an earlier connection, or of the history; `have` are the layers that are here already. */
  attach(id: string, have: number[] = []): Job {
    const job = new Job(id);
    job.accepted = true;
    have.forEach((index) => job.have.add(index));
    this.#jobs.set(id, job);
    this.#send({ type: "attach", job: id, have });
    return job;
  }

  cancel(job: Job): void {
    this.#say({ type: "cancel", job: job.id });
  }

  /** Put a waiting job before all others of this person. */
  advance(job: Job): void {
    this.#say({ type: "advance", job: job.id });
  }

  /** Say that the result is safe: from now on the server may evict it when its history is full. */
  acknowledge(job: Job): void {
    this.#say({ type: "acknowledge", job: job.id });
  }

  jobs = (): Promise<Jobs> => this.#question({ type: "jobs" }, "jobs") as Promise<Jobs>;
  discard = (job: string): Promise<Discarded> => this.#question({ type: "discard", job }, "discarded") as Promise<Discarded>;

  /** A page of finished jobs, newest first; their small pictures are in `thumbnails`. */
  async history(asked: Omit<ListHistory, "type"> = {}): Promise<History> {
    this.thumbnails.clear();
    return (await this.#question({ type: "history", ...asked }, "history")) as History;
  }

  /** Upload a picture, or a file, unless the server has it; its name is what conditions and `insert` refer to. */
  upload(content: Picture | Uint8Array): Promise<string> {
    const [data, format, size] =
      content instanceof Uint8Array
        ? [content, "file" as const, {}]
        : [content.data, content.format, { width: content.width, height: content.height }];
    const sha256 = contentId(data, format, "width" in size ? size.width : 0, "height" in size ? size.height : 0);
    const announcement: Upload = { type: "upload", sha256, format, bytes: data.length, ...size };
    return new Promise((done, failed) => {
      this.#uploads.set(sha256, { announcement, data, done, failed });
      this.#send(announcement);
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  /** Cut the connection, as a broken network does. */
  drop(): void {
    this.#socket?.terminate();
  }

  #ask(order: Order): Job {
    const job = new Job(order.job, order);
    this.#jobs.set(job.id, job);
    this.#send(order);
    return job;
  }

  #question(message: FromClient, answer: string): Promise<Answer> {
    return new Promise((done, failed) => {
      if (this.#socket === undefined) return failed(LOST());
      this.#waiting.set(answer, [...(this.#waiting.get(answer) ?? []), { done, failed }]);
      this.#send(message);
    });
  }

  /** Say it now, or when there is a connection again. */
  #say(message: FromClient): void {
    if (this.#socket === undefined) this.#unsaid.push(message);
    else this.#send(message);
  }

  /** Jobs and uploads are remembered, and said again when there is a connection. */
  #send(message: FromClient): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(toJson(message));
  }

  #open(): Promise<void> {
    const { url, token } = this.#address;
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` }, perMessageDeflate: false });
    return new Promise((welcomed, refused) => {
      const { name, ...offer } = this.#options;
      socket.on("open", () => socket.send(toJson({ type: "hello", protocol: PROTOCOL, client: name, ...offer })));
      socket.on("error", refused); // 401, 403, 421, 503, or nobody is there
      socket.on("close", () => {
        refused(LOST());
        if (this.#socket === socket) void this.#lost();
      });
      socket.on("message", (data: Buffer, binary: boolean) => {
        if (binary) return this.#takeFrame(data);
        const message = fromJson(data.toString()) as FromServer;
        if (message.type === "error" && message.about === "hello") return refused(new AcetateError(message.failure));
        if (message.type !== "welcome") return this.#take(message);
        [this.#socket, this.welcome, this.engine] = [socket, message, message.engine];
        this.#resume();
        welcomed();
      });
    });
  }

  /** Connect again, until `close` is called; each time a little later, also when each connection ends as soon as it is made. */
  async #lost(): Promise<void> {
    this.#socket = undefined;
    this.#arriving.clear();
    for (const waiting of this.#waiting.values()) waiting.splice(0).forEach((one) => one.failed(LOST()));
    while (!this.#closed && this.#socket === undefined) {
      const seconds = RETRY_SECONDS[Math.min(this.#attempts++, RETRY_SECONDS.length - 1)] as number;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      if (!this.#closed) await this.#open().catch(() => {});
    }
  }

  #resume(): void {
    this.#unsaid.splice(0).forEach((message) => this.#send(message));
    for (const { announcement } of this.#uploads.values()) this.#send(announcement);
    for (const job of this.#jobs.values()) {
      if (job.order !== undefined && !job.accepted) this.#send(job.order); // the same id again changes nothing
      else this.#send({ type: "attach", job: job.id, have: [...job.have] });
    }
  }

  #take(message: FromServer): void {
    switch (message.type) {
      case "engine":
        this.engine = message satisfies Engine;
        break;
      case "have":
        this.#upload(message.sha256, message.offset, message.complete);
        break;
      case "queued": case "started": case "progress": case "finished": case "failed": case "cancelled":
        this.#tell(message.job, message);
        break;
      case "layer": case "file":
        this.#announced(message);
        break;
      case "jobs": case "history": case "discarded":
        this.#waiting.get(message.type)?.shift()?.done(message);
        break;
      case "error":
        this.#refused(message);
    } // a newer server may say more: that is passed over
  }

  #tell(id: string, event: JobEvent): void {
    const job = this.#jobs.get(id);
    if (event.type === "layer" || event.type === "finished") this.#attempts = 0;
    job?.tell(event);
    if (job?.over) this.#jobs.delete(id);
  }

  #announced(message: Layer | File): void {
    const arriving = new Arriving(message);
    if (arriving.complete) return this.#arrived(arriving); // an empty layer has no pixels
    this.#arriving.set(message.type === "layer" ? `${message.job} ${message.index}` : message.job, arriving);
  }

  #arrived({ announced, data }: Arriving): void {
    if (announced.type === "layer") this.#tell(announced.job, { type: "layer", layer: announced, pixels: data });
    else this.#tell(announced.job, { type: "file", file: announced, data });
  }

  #takeFrame(frame: Buffer): void {
    const end = 4 + frame.readUInt32BE(0);
    const header = fromJson(frame.toString("utf8", 4, end)) as HeaderFromServer;
    const payload = frame.subarray(end);
    const data = header.encoding === "zlib" ? inflateSync(payload, { maxOutputLength: header.length }) : payload;
    if (header.type === "preview") return this.#tell(header.job, { type: "preview", preview: header, pixels: data });
    if (header.type === "thumbnail") {
      this.thumbnails.set(header.job, { width: header.width, height: header.height, format: "rgba8", data });
      return;
    }
    if (header.type !== "pixels" && header.type !== "file") return;
    const key = header.type === "pixels" ? `${header.job} ${header.index}` : header.job;
    const arriving = this.#arriving.get(key);
    if (arriving?.take(header.offset, data)) {
      this.#arriving.delete(key);
      this.#arrived(arriving);
    }
  }

  #upload(sha256: string, offset: number, complete: boolean): void {
    const sending = this.#uploads.get(sha256);
    if (sending === undefined) return;
    if (complete) {
      this.#uploads.delete(sha256);
      return sending.done(sha256);
    }
    for (let start = offset; start < sending.data.length; start += UPLOAD_PART) {
      const part = sending.data.subarray(start, start + UPLOAD_PART);
      const header = Buffer.from(toJson({ type: "upload", sha256, offset: start, length: part.length }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(header.length);
      this.#socket?.send(Buffer.concat([length, header, part]));
    }
  }

  #refused(message: Refusal): void {
    const error = new AcetateError(message.failure);
    if (message.about === "upload") {
      for (const name of message.sha256 ?? []) {
        this.#uploads.get(name)?.failed(error);
        this.#uploads.delete(name);
      }
    } else if (message.about === "discard") this.#waiting.get("discarded")?.shift()?.failed(error);
    else if (message.about === "jobs" || message.about === "history") this.#waiting.get(message.about)?.shift()?.failed(error);
    else if (message.job && ENDED_BY_ERROR.includes(message.about ?? "")) this.#tell(message.job, message);
  }
}

const LOST = () => new AcetateError({ code: "connection-lost", message: "the connection broke; ask again" });

function newId(): string {
  return randomBytes(16).toString("hex");
}
