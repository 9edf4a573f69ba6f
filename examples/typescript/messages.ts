// The messages of Acetate's protocol, version 1. Written by `acetate protocol --schema typescript`; do not edit.

/**
 * The result is in the artist's document: from now on it is history, which a size limit may evict. Never
 * answered.
 */
export interface Acknowledge {
  type: "acknowledge";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
}

/**
 * Puts a waiting job before all others of its person, of whichever session; other persons' turns stay as they
 * are.
 */
export interface Advance {
  type: "advance";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
}

/** Asks for a job's state, layers and further events; `have` lists layers that the client holds whole. */
export interface Attach {
  type: "attach";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** Default: []. */
  have?: number[];
  format?: "rgba8" | "bgra8" | "rgba16" | "rgbaf32" | null;
  /**
   * How many bytes of a layer that is not whole have come, in this format, by its index, and of a file as
   * `file`: the parts go on from there. Default: {}.
   */
  offsets?: Record<string, number>;
}

/**
 * A rectangle in pixels: its top left corner and its size. It may lie anywhere, and is empty when it has no
 * area.
 */
export interface Box {
  /** From -1000000 to 1000000. */
  x: number;
  /** From -1000000 to 1000000. */
  y: number;
  /** From 1 to 32768. */
  width: number;
  /** From 1 to 32768. */
  height: number;
}

/** Stops a job, waiting or running, between two steps. */
export interface Cancel {
  type: "cancel";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
}

/** The job was stopped, because a client asked for that or because of `keep: false`. */
export interface Cancelled {
  type: "cancelled";
  job: string;
}

/** The pictures that a task works on; which ones it needs is in `welcome.engine.tasks`. */
export interface Conditions {
  /** The layer that the task works on; for tasks of several layers what they begin from, if given. */
  source?: Placed | null;
  /** A `gray8` picture, 255 = may change. */
  mask?: Placed | null;
  foreground?: Placed | null;
  background?: Placed | null;
  blended?: Placed | null;
  /**
   * Pictures that the prompt calls `<image2>` and so on, beside the source; their places mean nothing.
   * Default: [].
   */
  references?: Placed[];
}

/** One of the devices on which jobs run. */
export interface Device {
  name: string;
  /**
   * `failed`: it takes no jobs until it is there again, which the server tries by itself. Default: "ready".
   */
  state?: "starting" | "ready" | "failed";
  /** The model that was used on it last and still lies there. Default: "". */
  model?: string;
  failure?: Failure | null;
}

/**
 * Deletes a finished job and its layers, or only some of its pictures; with the last of them goes the job.
 */
export interface Discard {
  type: "discard";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** The candidates to delete, by `layer.picture`; none means the whole job. Default: []. */
  pictures?: number[];
}

/** The answer to `discard`: the job and its layers are deleted, or only those of the named `pictures`. */
export interface Discarded {
  type: "discarded";
  job: string;
  /** Default: []. */
  pictures?: number[];
}

/** How large a picture is drawn before it is fitted to the size that was asked for. */
export interface Drawn {
  /** From 1 to 32768. */
  width: number;
  /** From 1 to 32768. */
  height: number;
  /**
   * How many times larger the result shows it; below 1 it was drawn larger than it is shown. From 0 to
   * 1000000. Default: 1.0.
   */
  enlarged?: number;
}

/** What the engine can do. Sent inside `welcome` and again whenever it changes. */
export interface Engine {
  type: "engine";
  /**
   * `starting`: models and tasks are those of the last run (or empty); jobs may be submitted and will wait.
   */
  state: "starting" | "ready" | "failed";
  /** Default: "". */
  device?: string;
  /** Default: []. */
  models?: Record<string, unknown>[];
  /** The parameters of each task with their defaults, and the conditions that it needs. Default: {}. */
  tasks?: Record<string, unknown>;
  /** Whatever else the engine says about itself, such as the names of upscalers. Default: {}. */
  details?: Record<string, unknown>;
  /** Why there is no engine on any device. */
  failure?: Failure | null;
  /** The devices, each with its own state; `state` is `failed` only when that of all is. Default: []. */
  devices?: Device[];
}

/** What the engine can do. Sent inside `welcome` and again whenever it changes. */
export interface EngineValue {
  /**
   * `starting`: models and tasks are those of the last run (or empty); jobs may be submitted and will wait.
   */
  state: "starting" | "ready" | "failed";
  /** Default: "". */
  device?: string;
  /** Default: []. */
  models?: Record<string, unknown>[];
  /** The parameters of each task with their defaults, and the conditions that it needs. Default: {}. */
  tasks?: Record<string, unknown>;
  /** Whatever else the engine says about itself, such as the names of upscalers. Default: {}. */
  details?: Record<string, unknown>;
  /** Why there is no engine on any device. */
  failure?: Failure | null;
  /** The devices, each with its own state; `state` is `failed` only when that of all is. Default: []. */
  devices?: Device[];
}

/**
 * A message was refused; `about` is its type, `job` and `sha256` what it named. Or a layer or file cannot be
 * delivered: then `about` is `layer` or `file`, and the job ends as `failed` for this client when everything
 * else has been sent.
 */
export interface Error {
  type: "error";
  failure: Failure;
  /** Default: "". */
  about?: string;
  job?: string | null;
  /** The contents that have to be uploaded, with the code `unknown-image`. Default: []. */
  sha256?: string[];
  /**
   * The oldest version that the server speaks, with the codes `client-too-old` and `server-too-old`. From 0
   * to 2147483647.
   */
  oldest?: number | null;
  /** From 0 to 2147483647. */
  newest?: number | null;
  /** The layer that cannot be delivered. From 0 to 1099511627776. */
  index?: number | null;
}

/** Asks for finished jobs as one layered file: it comes as a `file` message. */
export interface Export {
  type: "export";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** The jobs whose layers go into the file, lowest first. */
  jobs: string[];
  file: "psd" | "ora" | "png";
  /** The canvas's size; `null` means the smallest that holds everything. From 1 to 8192. */
  width?: number | null;
  /** From 1 to 8192. */
  height?: number | null;
  /** Only these of their candidates; none means all. Default: []. */
  pictures?: number[];
}

/** The job has failed; layers that came before stay valid. */
export interface Failed {
  type: "failed";
  job: string;
  failure: Failure;
}

/** What went wrong: `code` for programs, `message` for the log, `hint` for the person (may be empty). */
export interface Failure {
  /**
   * One of bad-message, bad-request, too-large, too-many, client-too-old, server-too-old, unauthorized,
   * forbidden, not-the-server, unknown-job, unknown-image, content-broken, model-missing, model-broken, out-
   * of-memory, numeric-failure, worker-crashed, worker-stuck, engine-unavailable, disk-full, database-
   * damaged, internal, no-server, cannot-start, server-stopped, connection-lost, or a new one.
   */
  code: string;
  message: string;
  /** Default: "". */
  hint?: string;
}

/** An exported file; `file` frames with `bytes` bytes in total follow. */
export interface File {
  type: "file";
  job: string;
  name: string;
  /** From 0 to 1099511627776. */
  bytes: number;
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  /** What the format could not keep. Default: []. */
  notes?: string[];
}

/** Server to client: bytes of a file that was announced by `file`. */
export interface FilePart {
  type: "file";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** From 0 to 1099511627776. */
  offset: number;
  /** From 0 to 1099511627776. */
  length: number;
  /** Default: "raw". */
  encoding?: "raw" | "zlib";
}

/** The job has succeeded; all of its layers were sent before this. */
export interface Finished {
  type: "finished";
  job: string;
  /** From 0 to 1099511627776. */
  layers: number;
  /** From 0 to 1000000000000. */
  seconds: number;
  /** Default: []. */
  notes?: string[];
}

/** A text frame of a client. */
export type FromClient =
  | Hello
  | Upload
  | Submit
  | Insert
  | Export
  | Cancel
  | Advance
  | Attach
  | Acknowledge
  | Discard
  | Star
  | ListJobs
  | ListHistory;

/** A text frame of the server. */
export type FromServer =
  | Welcome
  | Engine
  | Have
  | Queued
  | Started
  | Progress
  | Layer
  | File
  | Finished
  | Failed
  | Cancelled
  | Jobs
  | History
  | Discarded
  | Starred
  | Error;

/** A group that a layer lies in. Layers with the same `id` in one job share it. */
export interface Group {
  id: string;
  name: string;
  /** Default: true. */
  visible?: boolean;
  /** From 0 to 1. Default: 1.0. */
  opacity?: number;
  /** Default: "normal". */
  blend_mode?: string;
}

/**
 * How much of an announced picture the server has: parts are wanted from `offset` on, unless it is
 * `complete`.
 */
export interface Have {
  type: "have";
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  /** From 0 to 1099511627776. */
  offset: number;
  complete: boolean;
}

/** The header of a client's binary frame. */
export type HeaderFromClient =
  | UploadPart;

/** The header of the server's binary frame. */
export type HeaderFromServer =
  | PixelPart
  | FilePart
  | PreviewFrame
  | ThumbnailFrame;

/** The first message: who speaks, which protocol, which pixels it can take (best first). */
export interface Hello {
  type: "hello";
  /** From 0 to 2147483647. */
  protocol: number;
  /** What the server's log calls it. */
  client: string;
  /**
   * Random, chosen by the client and kept over reconnections: the queue is fair between sessions. 8 to 64
   * letters, digits, - or _.
   */
  session: string;
  /**
   * Pixel formats of layers; where a message names none, the first that the server knows is meant. Default:
   * ["rgba8"].
   */
  formats?: string[];
  /** Encodings of pixels; the server picks the one to use. Default: ["raw", "zlib"]. */
  encodings?: string[];
}

/** The answer to `history`: a page of finished jobs, newest first; `more` says whether older ones exist. */
export interface History {
  type: "history";
  entries: HistoryEntry[];
  /** Default: false. */
  more?: boolean;
}

/** A finished job; a page lists them newest first. `attach` brings its layers. */
export interface HistoryEntry {
  job: string;
  /**
   * One of foreground, scene, object, background, blend, extract-background, extract-foreground, refine,
   * repaint, edit, extract, decompose, upscale, insert, export, or a new one.
   */
  task: string;
  /** When the job was over, in seconds since 1970, UTC. From 0 to 1000000000000. */
  finished: number;
  /** Default: {}. */
  parameters?: Record<string, unknown>;
  box?: Box | null;
  /** Default: []. */
  layers?: LayerSummary[];
  /**
   * Whether `thumbnail` frames came before the page: one for each layer that is not empty. Default: false.
   */
  thumbnail?: boolean;
}

/** Asks for the layers of an uploaded file (PSD, OpenRaster, PNG): they come as `layer` messages. */
export interface Insert {
  type: "insert";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  file: "psd" | "ora" | "png";
  format?: "rgba8" | "bgra8" | "rgba16" | "rgbaf32" | null;
  /** From -1000000 to 1000000. Default: 0. */
  x?: number;
  /** Where the file's top left corner goes on the canvas. From -1000000 to 1000000. Default: 0. */
  y?: number;
  /** Default: true. */
  keep?: boolean;
}

/** A job that waits, runs, or whose result has not been acknowledged yet. */
export interface JobLine {
  job: string;
  /**
   * One of foreground, scene, object, background, blend, extract-background, extract-foreground, refine,
   * repaint, edit, extract, decompose, upscale, insert, export, or a new one.
   */
  task: string;
  state: "waiting" | "running" | "finished" | "failed" | "cancelled";
  session: string;
  /** From 0 to 1099511627776. Default: 0. */
  position?: number;
  /** Default: "". */
  prompt?: string;
  /**
   * Who asked for it, as that client calls itself; empty when the server was started again since. Default:
   * "".
   */
  client?: string;
  /** The share of a running job that is done. From 0 to 1. Default: 0.0. */
  fraction?: number;
  /** Of a running job; absent until that can be told. From 0 to 1000000000000. */
  seconds_left?: number | null;
}

/**
 * The answer to `jobs`: what runs, waits in its order, then what is not acknowledged, newest first; `more`
 * says whether others come after these.
 */
export interface Jobs {
  type: "jobs";
  jobs: JobLine[];
  /** Default: false. */
  more?: boolean;
}

/** A finished layer, cropped to the box of its alpha; `pixels` frames with `bytes` bytes in total follow. */
export interface Layer {
  type: "layer";
  job: string;
  /**
   * The layer's number among those of the job, in the order of their arrival, from 0. From 0 to
   * 1099511627776.
   */
  index: number;
  name: string;
  /** One of foreground, background, blended, or a new one. */
  role: string;
  /** From -2147483648 to 2147483647. */
  x: number;
  /** Where on the canvas the first pixel of the crop lies. From -2147483648 to 2147483647. */
  y: number;
  /** From 0 to 32768. */
  width: number;
  /** The size of the crop; 0 when the layer is empty, and then no `pixels` follow. From 0 to 32768. */
  height: number;
  /** The whole picture before the crop. */
  box: Box;
  /** One of rgba8, bgra8, rgba16, rgbaf32, or a new one. */
  format: string;
  /** How many bytes follow, in `format`. From 0 to 1099511627776. */
  bytes: number;
  /**
   * Name of the crop in `rgba8`, whatever `format` is: a later job can take it as a condition without an
   * upload. A SHA-256 in 64 hexadecimal digits.
   */
  sha256: string;
  /** Position in the job's stack, 0 lowest. From 0 to 1099511627776. Default: 0. */
  order?: number;
  /** The groups it lies in, outermost first. Default: []. */
  group?: Group[];
  /** Default: true. */
  visible?: boolean;
  /** From 0 to 1. Default: 1.0. */
  opacity?: number;
  /** Default: "normal". */
  blend_mode?: string;
  /** A picture to compare with (the blended one), not part of the stack's look: hidden. Default: false. */
  reference?: boolean;
  /** Which candidate of `count` it belongs to. From 0 to 1099511627776. Default: 0. */
  picture?: number;
  /** From 0 to 9223372036854775807. Default: 0. */
  seed?: number | bigint;
  /** Everything needed to make it again, except condition pixels. Default: {}. */
  parameters?: Record<string, unknown>;
  /** Default: {}. */
  quality?: Record<string, number>;
  /** Default: []. */
  warnings?: string[];
  /** How large it was drawn; absent where nothing was, as in an enlargement without a model. */
  drawn?: Drawn | null;
}

/** One line of the history about a layer. */
export interface LayerSummary {
  /** From 0 to 1099511627776. */
  index: number;
  name: string;
  /** One of foreground, background, blended, or a new one. */
  role: string;
  /** From -2147483648 to 2147483647. */
  x: number;
  /** From -2147483648 to 2147483647. */
  y: number;
  /** From 0 to 32768. */
  width: number;
  /** From 0 to 32768. */
  height: number;
  /** From 0 to 9223372036854775807. Default: 0. */
  seed?: number | bigint;
  /** Default: true. */
  visible?: boolean;
  /** Which candidate of `count` it belongs to. From 0 to 1099511627776. Default: 0. */
  picture?: number;
  /** Default: false. */
  reference?: boolean;
  drawn?: Drawn | null;
  /** Whether its picture was marked with `star`. Default: false. */
  starred?: boolean;
}

/** The limits beyond which the server refuses. */
export interface Limits {
  /** From 0 to 1099511627776. */
  text_bytes: number;
  /** From 0 to 1099511627776. */
  part_bytes: number;
  /** From 0 to 1099511627776. */
  pixels: number;
  /** From 0 to 1099511627776. */
  side: number;
  /** From 0 to 1099511627776. */
  file_bytes: number;
  /** From 0 to 1099511627776. */
  prompt_characters: number;
  /** From 0 to 1099511627776. */
  count: number;
  /** From 0 to 1099511627776. */
  jobs_per_session: number;
}

/** Asks for a page of finished jobs, newest first, older than `before` (an entry's job id). */
export interface ListHistory {
  type: "history";
  /** 8 to 64 letters, digits, - or _. */
  before?: string | null;
  /** From 1 to 100. Default: 30. */
  limit?: number;
  /** Default: true. */
  thumbnails?: boolean;
}

/**
 * Asks for a page of jobs that run, wait or are not acknowledged; `before` is the last job of the page
 * before.
 */
export interface ListJobs {
  type: "jobs";
  /** 8 to 64 letters, digits, - or _. */
  before?: string | null;
  /** From 1 to 2000. Default: 2000. */
  limit?: number;
}

/** The numbers and words that fix a result; `None` means the model's default. */
export interface Parameters {
  /** what to draw; describe only the object for a transparent layer Default: "". */
  prompt?: string;
  /** what to avoid Default: "". */
  negative_prompt?: string;
  /** a prompt for one layer alone; the main prompt serves the others Default: {}. */
  prompts?: { foreground?: string; background?: string; blended?: string };
  /** a layer's own prompt alone, or added before the main one Default: "replace". */
  layer_prompts?: "replace" | "add";
  /**
   * see `acetate models`; the built-in one is sketchpad A name that `acetate models` lists, of at most 200
   * characters, not a path.
   */
  model?: string | null;
  /** any size in pixels; else that of the given picture, or the model's own From 1 to 8192. */
  width?: number | null;
  /** as `width` From 1 to 8192. */
  height?: number | null;
  /** denoising steps From 1 to 1000. */
  steps?: number | null;
  /** how closely to follow the prompt; 1 takes it alone, in half the time From 0 to 100. */
  guidance_scale?: number | null;
  /** the sampler: how a step leads to the next */
  scheduler?: "dpmpp-2m-karras" | "dpmpp-2m-sde-karras" | "euler" | "euler-a" | "unipc" | "lcm" | "tcd" | "ddim" | "heun" | "lms" | "deis" | "dpmpp-2m" | "dpmpp-2m-sde" | "dpmpp-3m-sde" | "dpmpp-sde" | "dpmpp-2s-a" | "dpm2" | "flow-euler" | null;
  /** how the noise levels of the steps lie; else the scheduler's own way */
  spacing?: "linspace" | "karras" | "exponential" | "sgm-uniform" | "simple" | "ddim-uniform" | "beta" | "ays" | null;
  /** which layer of the text encoders is read, from the last From 1 to 12. */
  clip_skip?: number | null;
  /** few steps at guidance 1 by a distilled LoRA; what else is given counts more Default: false. */
  fast?: boolean;
  /** the same seed gives the same picture From 0 to 9223372036854775807. Default: 0. */
  seed?: number | bigint;
  /** pictures, with seeds that count up From 1 to 64. Default: 1. */
  count?: number;
  /** how far to go from the given layer, 0 to 1 From 0 to 1. */
  strength?: number | null;
  /** keep the layer's transparency and change its colours only Default: false. */
  lock_alpha?: boolean;
  /** passes of the transparent decoder: fewer are faster, and adaptive makes no more than are needed */
  alpha_passes?: 1 | 2 | 4 | 8 | "adaptive" | null;
  /** which of SDXL's two weights for foregrounds Default: "attention". */
  injection?: "attention" | "convolution";
  /**
   * put the prompt into the words by which models that draw RGBA themselves are asked for it Default: "auto".
   */
  wrap?: "auto" | "on" | "off";
  /** strength of SDXL's LayerDiffuse weights; 1 is the trained point From -1 to 3. Default: 1.0. */
  layer_weight?: number;
  /**
   * the base model finishes after this share, 0 to 1; of several runs it is the last From 0 to 1. Default:
   * 1.0.
   */
  stop_at?: number;
  /** how given pictures of another size are brought to it Default: "crop". */
  resize_mode?: "crop" | "stretch" | "fill";
  /** LoRAs, each with a weight Default: []. */
  loras?: [string, number, number?, number[]?][];
  /** the factor; width and height, when given, are the target instead From 1 to 16. Default: 2.0. */
  scale?: number;
  /**
   * an installed network by its name; Lanczos without one A name that `acetate models` lists, of at most 200
   * characters, not a path.
   */
  upscaler?: string | null;
  /** mode and tiles, where they differ from the defaults Default: {}. */
  upscaling?: { mode?: "enlarge" | "redraw" | "refine"; alpha?: "auto" | "lanczos" | "network"; colour?: "source" | "network"; order?: "linear" | "chess" | "none"; seams?: "none" | "band" | "half-tile" | "intersections"; uniform?: true | false; multiple_of?: 64 | 8; tile_width?: number; tile_height?: number; padding?: number; mask_blur?: number; seam_width?: number; seam_blur?: number; seam_padding?: number; seam_strength?: number };
}

/** Server to client: bytes of a layer that was announced by `layer`. */
export interface PixelPart {
  type: "pixels";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** From 0 to 1099511627776. */
  index: number;
  /** From 0 to 1099511627776. */
  offset: number;
  /** From 0 to 1099511627776. */
  length: number;
  /** Default: "raw". */
  encoding?: "raw" | "zlib";
}

/** An uploaded picture and where its top left pixel lies on the canvas. */
export interface Placed {
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  /** From -1000000 to 1000000. Default: 0. */
  x?: number;
  /** From -1000000 to 1000000. Default: 0. */
  y?: number;
}

/** Server to client: the running job's state as a small whole picture. */
export interface PreviewFrame {
  type: "preview";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** From 1 to 32768. */
  width: number;
  /** From 1 to 32768. */
  height: number;
  /** From 0 to 1099511627776. */
  length: number;
  /** Default: "rgba8". One of rgba8, or a new one. */
  format?: string;
  /** Default: "raw". */
  encoding?: "raw" | "zlib";
}

/** A step of the job is done. */
export interface Progress {
  type: "progress";
  job: string;
  /** One of load, encode, denoise, decode, upscale, read, write, or a new one. */
  stage: string;
  /** From 0 to 1099511627776. */
  step: number;
  /** From 0 to 1099511627776. */
  steps: number;
  /** The share of the whole job that is done. From 0 to 1. */
  fraction: number;
  /** Absent until there is a pace. From 0 to 1000000000000. */
  seconds_left?: number | null;
}

/** The job is on disk and waits; `position` 0 is next. Sent again when the position changes. */
export interface Queued {
  type: "queued";
  job: string;
  /** From 0 to 1099511627776. */
  position: number;
}

/**
 * Marks a picture of a finished job, or takes the mark away. A job with a mark is not evicted before all
 * others.
 */
export interface Star {
  type: "star";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** From 0 to 1000000. */
  picture: number;
  /** Default: true. */
  starred?: boolean;
}

/** The answer to `star`: the mark is there, or gone. */
export interface Starred {
  type: "starred";
  job: string;
  /** From 0 to 1099511627776. */
  picture: number;
  starred: boolean;
}

/** The job runs. Sent again if it has to be run a second time. */
export interface Started {
  type: "started";
  job: string;
  /** From 1 to 1000. Default: 1. */
  attempt?: number;
}

/** Asks for layers. The job id is the client's choice; sending the same one again changes nothing. */
export interface Submit {
  type: "submit";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /**
   * One of foreground, scene, object, background, blend, extract-background, extract-foreground, refine,
   * repaint, edit, extract, decompose, upscale, or a new one.
   */
  task: string;
  /** Default: {}. */
  parameters?: Parameters;
  /** Default: {}. */
  conditions?: Conditions;
  /** Where the result goes on the canvas; `null` means the source's or condition's place, else (0, 0). */
  box?: Box | null;
  /**
   * What the result is called: as the layer that it is a larger version of; after its prompt when empty.
   * Default: "".
   */
  name?: string;
  format?: "rgba8" | "bgra8" | "rgba16" | "rgbaf32" | null;
  /** Default: true. */
  previews?: boolean;
  /** Whether layers are cut to the box of their alpha; otherwise they come whole. Default: true. */
  crop?: boolean;
  /**
   * The place among the session's own waiting jobs: behind them, before them, or instead of them (they are
   * cancelled). Default: "normal".
   */
  priority?: "normal" | "front" | "replace";
  /**
   * Whether the job goes on without the connection that submitted it; otherwise it is cancelled when that is
   * gone. Default: true.
   */
  keep?: boolean;
}

/**
 * Server to client: a layer of a finished job as a small picture, sent before the `history` page that lists
 * it.
 */
export interface ThumbnailFrame {
  type: "thumbnail";
  /** 8 to 64 letters, digits, - or _. */
  job: string;
  /** From 1 to 32768. */
  width: number;
  /** From 1 to 32768. */
  height: number;
  /** From 0 to 1099511627776. */
  length: number;
  /** Default: "rgba8". One of rgba8, or a new one. */
  format?: string;
  /** Default: "raw". */
  encoding?: "raw" | "zlib";
  /** The layer's number among those of the job. From 0 to 1099511627776. Default: 0. */
  index?: number;
}

/** Announces a picture, or a file when `format` is `file`. The answer is `have`. */
export interface Upload {
  type: "upload";
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  format: "rgba8" | "bgra8" | "rgba16" | "rgbaf32" | "gray8" | "file";
  /** From 1 to 1099511627776. */
  bytes: number;
  /** From 1 to 32768. */
  width?: number | null;
  /** From 1 to 32768. */
  height?: number | null;
}

/** Client to server: bytes of a picture or file that was announced by `upload`. */
export interface UploadPart {
  type: "upload";
  /** A SHA-256 in 64 hexadecimal digits. */
  sha256: string;
  /** From 0 to 1099511627776. */
  offset: number;
  /** From 0 to 1099511627776. */
  length: number;
  /** Default: "raw". */
  encoding?: "raw" | "zlib";
}

/** The answer to `hello`. */
export interface Welcome {
  type: "welcome";
  /** The version that both speak from now on: that of `hello`. From 0 to 2147483647. */
  protocol: number;
  server: string;
  /**
   * How this connection's pixels are encoded at first: the first of the client's encodings that the server
   * knows. Later each part says it itself, as the server goes by how fast the client takes them.
   */
  encoding: "raw" | "zlib";
  formats: string[];
  limits: Limits;
  engine: EngineValue;
  /** The oldest version of the protocol that the server answers. From 0 to 2147483647. */
  oldest?: number | null;
  /** From 0 to 2147483647. */
  newest?: number | null;
}
