// motion.d.ts of eventrelay 0.2.0, made by `deno task bundle`. MIT license.
/**
 * The largest number, to either side of zero, that a position, a velocity, an acceleration or a time may be.
 * Beyond it numbers are coarser than one unit or millisecond, and far beyond it their squares are infinite.
 */
declare const MAX_NUMBER: number;
/**
 * How many numbers a position may have: more than any pose needs, and no more than a track can keep without
 * harm.
 */
declare const MAX_DIMENSIONS = 1024;

/** One known moment of an object, as its owner sent it. */
interface Sample {
    /**
     * When this was true, in milliseconds: `relay.now()` at the owner. Without it, the moment of arrival stands
     * in, which makes every drawing late by the network's delay.
     */
    t?: number;
    /**
     * Position, in any number of dimensions; angles (radians) may be among them, see {@linkcode
     * TrackOptions.angles}.
     */
    pos: readonly number[];
    /**
     * Velocity in units per second, as many numbers as `pos`. Without it, it is worked out from the positions.
     */
    vel?: readonly number[];
    /** Acceleration in units per second squared; only `speed` with `order: 2` uses it. */
    acc?: readonly number[];
    /** True if the object did not move here but appeared here: it is drawn here at once, without gliding. */
    teleport?: boolean;
}
/** Where to draw an object, and how far to believe it. */
interface Motion {
    /** Position; empty until the first sample. Angles lie in (-π, π]. */
    pos: number[];
    /** Velocity in units per second, without the part that only corrects an earlier guess. */
    vel: number[];
    /** Milliseconds since the newest sample was true; Infinity until the first sample. */
    age: number;
    /**
     * Milliseconds between now and the moment that is drawn: 0 for a prediction, the playout delay for
     * `interpolate`.
     */
    delay: number;
    /**
     * True if the newest sample is too old for this strategy to go on, so that the object slows down to a stop.
     */
    starved: boolean;
}

/**
 * Moves an object on from a known state, writing position and velocity in place. The program's own knowledge
 * of its world (walls, gravity, a road) goes here.
 */
type Advance = (pos: number[], vel: number[], seconds: number) => void;

/**
 * How an object is drawn between and after its samples.
 *
 * - `hold`: where it last was.
 * - `speed`: dead reckoning, position + velocity x age, optionally with acceleration.
 * - `history`: on along a least squares fit, or an alpha-beta filter, of recent samples.
 * - `blend`: as `history`, and a wrong guess is taken back gliding instead of jumping.
 * - `interpolate`: the recent past, a little late, exact.
 */
type Strategy = "hold" | "speed" | "history" | "blend" | "interpolate";
/**
 * How to draw an object. Everything is optional. A number that is negative, NaN, text or, where nothing else
 * is said, infinite is refused, and so is a name that isn't here.
 */
interface TrackOptions {
    /** Default `blend`. */
    strategy?: Strategy;
    /** For `speed`: 1 (default) for constant velocity, 2 for constant acceleration. */
    order?: 1 | 2;
    /** For `history` and `blend`: `fit` (default) for least squares, or the cheaper `alpha-beta`. */
    filter?: "fit" | "alpha-beta";
    /**
     * Which of the numbers in `pos` are angles in radians, by index; they take the short way round. Default
     * none. An index that `pos` doesn't have is passed over.
     */
    angles?: readonly number[];
    /**
     * Whose time `sample.t` is: `shared` (default) if it is that of `push` and `at`, as with `relay.now()`;
     * `sender` if it is the sender's own in milliseconds, whose offset is then estimated. Times that can't be
     * shared (a second ahead, ten behind) are taken as the sender's own from the second such sample in a row
     * on.
     */
    clock?: "shared" | "sender";
    /**
     * A sample further than this, in units, from where the object was expected makes it appear there. Default
     * Infinity.
     */
    teleportDistance?: number;
    /**
     * Milliseconds of silence after which the object slows down to a stop; Infinity for never. Default
     * {@linkcode DEFAULT_MAX_EXTRAPOLATE_MS}.
     */
    maxExtrapolateMs?: number;
    /**
     * For `blend`: how much faster than its recent top speed the object may be drawn while an error is taken
     * back. Default `HURRY`; more is nearer to the truth, less is calmer, Infinity knows no limit. An error of
     * more than `LEAP_SECONDS` at that top speed is not taken back gliding but at once.
     */
    hurry?: number;
    /**
     * For `blend`: takes back an error in this many milliseconds by projective velocity blending, however fast
     * the object must move for that. Default: as long as it needs with `hurry`.
     */
    blendMs?: number;
    /** For `interpolate`: a fixed delay in milliseconds. Default: as short as the network allows. */
    delayMs?: number;
    /**
     * Moves position and velocity on by some seconds, in place: what the program knows of its world, such as
     * walls. It takes the place of the straight line in `speed`, `history` and `blend`, which is drawn after
     * all if it makes a number that is none. It must not keep the arrays. What it throws, `at` throws.
     */
    advance?: Advance;
}
/** The silence an object is carried through at full speed, in milliseconds. */
declare const DEFAULT_MAX_EXTRAPOLATE_MS = 500;
/** How long the stop after that takes, in milliseconds. */
declare const BRAKE_MS = 500;
/** How long a bend is believed, in milliseconds; then the object goes straight on. */
declare const ACCELERATE_MS = 500;
/**
 * A time this far before the newest or ahead of now, in milliseconds, is a step of the clock and no late
 * sample.
 */
declare const CLOCK_STEP_MS = 1000;
/**
 * So far apart, in milliseconds, two clocks may be that are shared. A newest sample further ahead shows a
 * step.
 */
declare const MAX_AHEAD_MS = 100;
/**
 * A shared time older than this, in milliseconds, is no shared time. A connection stalled that long is
 * closed.
 */
declare const MAX_SHARED_AGE_MS = 10000;
/**
 * So many times in a row, the first included, another count of numbers in `pos` makes it what the object has
 * now.
 */
declare const DIMENSION_CHANGE_SAMPLES = 3;
/**
 * Follows one remote object and says where to draw it now.
 *
 * `push` takes samples late, doubled, reordered or broken: what is of no use is refused with `false`, never
 * with an exception, as it comes from others, and does no harm to what comes after it. Clocks may step, also
 * back: samples are used again within a second. `at` gives finite numbers, whatever was taken; it gives the
 * same object every time and overwrites it on the next call: pass your own as `out`, or copy, to keep one.
 * Neither allocates once the first samples are in.
 *
 * @example
 * ```ts
 * const track = new Track({ strategy: "blend" });
 * track.push({ t: 1000, pos: [10, 20], vel: [100, 0] }, 1040); // arrives 40 ms after it was true
 * const { pos, vel, age } = track.at(1050);
 * console.log(pos, vel, age); // [15, 20] [100, 0] 50
 * ```
 */
declare class Track {
    #private;
    /**
     * Makes a track that knows nothing yet.
     *
     * @throws {RangeError} if an option is out of its range.
     * @throws {TypeError} if an option is of the wrong type or none at all.
     */
    constructor(options?: TrackOptions);
    /**
     * Takes a sample that has arrived.
     *
     * @param sample as received; nothing of it is kept.
     * @param nowMs the time of arrival, on the clock that `at` is called with.
     * @returns false if it was of no use: it is no sample; a number in it is missing, NaN or beyond
     * `MAX_NUMBER`; `pos` is empty or longer than `MAX_DIMENSIONS`, `vel` or `acc` is not as long as `pos`;
     * `pos` is not as long as in the samples before, and this is not yet the third such in a row, with which
     * the object appears anew; its time is there already or too old, or it is the first to be absurd. Also if
     * `nowMs` is no time.
     */
    push(sample: Sample, nowMs: number): boolean;
    /**
     * Says where to draw the object.
     *
     * @param nowMs the time of drawing. Where it goes back, the object waits, or goes on from the samples of
     * the new time. Where it is no time (NaN, beyond `MAX_NUMBER`), the object is drawn as of its newest
     * sample.
     * @param out written to and returned; default one that belongs to the track and is overwritten by the next
     * call.
     * @throws {TypeError} if `out` is no motion.
     * @throws what the option `advance` throws, and nothing else.
     */
    at(nowMs: number, out?: Motion): Motion;
}

/** When to send. A number that is negative, NaN or text is refused, and so is a name that isn't here. */
interface SenderOptions extends Pick<TrackOptions, "strategy" | "order" | "filter" | "angles" | "advance"> {
    /**
     * How far, in units, receivers may be off before an update is due; required. An angle counts by its
     * radians.
     */
    tolerance: number;
    /**
     * The longest silence in milliseconds, default 1000: newcomers and lost objects wait no longer than this.
     */
    heartbeatMs?: number;
    /** The shortest time between two updates in milliseconds, default 0. */
    minIntervalMs?: number;
}
/**
 * The silence after which an update is due anyway, in milliseconds. IEEE 1278.1 has 5000; a lab game is
 * joined sooner.
 */
declare const DEFAULT_HEARTBEAT_MS = 1000;
/**
 * Runs the receivers' model of an object that this program owns, and says when it has gone wrong by more than
 * `tolerance`: as IEEE 1278.1 (DIS) does it. An object that moves as foreseen costs one update per heartbeat.
 *
 * Receivers are best off with the same `strategy`, and with `maxExtrapolateMs` above `heartbeatMs`.
 *
 * The clock may step, as `relay.now()` does when a relay comes back on another machine. Forward it is a
 * silence. Back by up to {@linkcode MAX_AHEAD_MS}, receivers wait until the time has caught up, so only
 * heartbeats and teleports are due until then. Back by more, the next moment is due at once, and one more as
 * soon as it may be, since a `Track` goes by a new clock from its second sample on. A heartbeat is counted by
 * the time that passes, so no step delays it.
 *
 * @example
 * ```ts
 * const sender = new Sender({ tolerance: 2 });
 * let pos = [0, 0], vel = [100, 0];
 * for (let t = 0; t < 1000; t += 16) {
 *   pos = [pos[0] + vel[0] * 0.016, 0];
 *   if (sender.due({ t, pos, vel })) console.log("send", t, pos, vel);
 * }
 * ```
 */
declare class Sender {
    #private;
    /**
     * Makes a sender that has sent nothing yet.
     *
     * @throws {RangeError} if an option is out of its range.
     * @throws {TypeError} if an option is of the wrong type or none at all, or `tolerance` is missing.
     */
    constructor(options: SenderOptions);
    /**
     * Says whether to send this moment of the object, and if so takes it as sent. The first one always is due,
     * and so is a teleport, and the first one after the clock went back by more than that or `pos` changed its
     * length.
     *
     * @param sample where the object is now; `t` is required, in milliseconds.
     * @returns false also for what no receiver would take: a number that is NaN, infinite or beyond
     * `MAX_NUMBER`, lists that are empty or of different lengths, the same time again. Such a moment changes
     * nothing.
     * @throws {TypeError} if `t` is missing.
     * @throws what the option `advance` throws.
     */
    due(sample: Sample): boolean;
}

/**
 * How much faster than its recent top speed a correction may move the object. An object seen to move much
 * faster than it ever does looks wrong; half as fast again still passes for a hurry.
 */
declare const HURRY = 0.5;
/**
 * How many seconds at its top speed the object may be away from where it is drawn; what is further off is no
 * error but a leap, and drawn at once.
 */
declare const LEAP_SECONDS = 2;

/** What a simulated line does to what it carries; times in ms. */
interface SimulationOptions {
    /** The mean delay. */
    delayMs: number;
    /** How much one delay differs from the mean at most; evenly distributed. */
    jitterMs: number;
    /** How much longer a delay is at a spike. */
    spikeMs: number;
    /** The mean time between spikes, which come at random moments (a Poisson process). */
    spikeEveryMs: number;
    /** How many bytes a second pass. */
    bytesPerSecond: number;
    /** How long nothing passes at all. */
    stallMs: number;
    /** The mean time between stalls. */
    stallEveryMs: number;
    /** The mean time until the connection breaks. */
    cutEveryMs: number;
    /** Two members with the same seed have the same line. */
    seed: number;
}
/**
 * Reads a line's description: presets and settings with commas between them, later ones win. Times go up to
 * 10 s (those between two spikes or stalls from 100 ms to an hour, the one to a cut from 1 s to an hour), the
 * rate from 1k to 1024m.
 * @throws {TypeError} when it is not a text
 * @throws {SyntaxError} that names what can't be read
 * @throws {RangeError} that says what is too much or too little, and what is allowed
 */
declare function parseSimulation(text: string): SimulationOptions;

/** When something that is sent is where. */
interface Passage {
    /** When its last byte has left, and the next thing can be sent. */
    leavesAt: number;
    /** When it arrives. */
    arrivesAt: number;
}
/** One line. Times are in ms of the caller's clock, which never goes back. */
declare class Simulation {
    #private;
    /** When the connection breaks; Infinity for never. */
    readonly cutAt: number;
    /**
     * Makes a line that begins at `nowMs`; two with the same options and seed are the same.
     *
     * @throws {TypeError} when an option is missing, or no number from 0 on
     */
    constructor(options: SimulationOptions, nowMs: number);
    /** Says from when on the line takes something, asked at `nowMs`: at once, unless it stalls. */
    opensAt(nowMs: number): number;
    /** Sends `bytes` bytes at `nowMs`, behind what was sent before. */
    send(bytes: number, nowMs: number): Passage;
}

/** Makes numbers in [0, 1) from a seed (Tommy Ettinger's Mulberry32: 32 bits of state). Not for secrets. */
declare function seededRandom(seed: number): () => number;

export { ACCELERATE_MS, BRAKE_MS, CLOCK_STEP_MS, DEFAULT_HEARTBEAT_MS, DEFAULT_MAX_EXTRAPOLATE_MS, DIMENSION_CHANGE_SAMPLES, HURRY, LEAP_SECONDS, MAX_AHEAD_MS, MAX_DIMENSIONS, MAX_NUMBER, MAX_SHARED_AGE_MS, Sender, Simulation, Track, parseSimulation, seededRandom };
export type { Advance, Motion, Passage, Sample, SenderOptions, SimulationOptions, Strategy, TrackOptions };
