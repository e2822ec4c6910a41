// A reason not to start that a node may have: its message is a whole sentence for the operator, who is shown that and no stack.
export { refusal } from "../config/refusal.ts";
