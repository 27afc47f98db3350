// The types of state, as a program that knows its own names them. Types only; nothing here checks what comes.

/**
 * Tells the state of the room from that of its members, where their keys differ: `connect<Events,
 * States<Room, Member>>`.
 */
export interface States<Room extends object, Member extends object> {
  /** The keys and values of the room. */
  readonly "~room": Room;
  /** The keys and values of each member. */
  readonly "~member": Member;
}

/** The keys and values of the room, in what a program has named as `State`. */
export type RoomState<State> = State extends States<infer Room, infer _> ? Room : State;

/** The keys and values of a member, in what a program has named as `State`. */
export type MemberState<State> = State extends States<infer _, infer Member> ? Member : State;

/** State as it is read: any key may be missing. */
export type ReadState<Values> = Readonly<Partial<Values>>;
