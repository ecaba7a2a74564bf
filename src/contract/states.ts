/** The peer's role in `handleSubscribe`: `"producer"` on the consuming side, `"consumer"` on the producing side. */
export type Role = "producer" | "consumer";
export type StageKind = "producer" | "producerConsumer" | "consumer";
/** Only ever advances, from left to right. */
export type StageState = "starting" | "running" | "ending" | "completed" | "stopped" | "failed";
export type SubscriptionState = "pending" | "active" | "ended";
