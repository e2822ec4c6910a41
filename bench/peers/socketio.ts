// The chat benchmark's peer: a bare Socket.IO 4 server. A message is sent to everybody in the room, one event a frame, and
// acknowledged. Nothing is checked, numbered or stored.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

type Ack = (error: null, result: object) => void;

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
let messages = 0;

io.on("connection", (socket) => {
	socket.on("group:join", ({ groupId }: { groupId: string }, acknowledge: Ack) => {
		socket.join(groupId);
		acknowledge(null, { room: groupId });
	});
	socket.on("message:send", ({ groupId, clientId, content }: { groupId: string; clientId: string; content: string }, acknowledge: Ack) => {
		const message = { room: groupId, id: ++messages, clientId, content, by: socket.id, at: Date.now() };
		io.to(groupId).emit("message", message);
		acknowledge(null, { id: message.id, at: message.at });
	});
});

http.listen(0, "127.0.0.1", () => console.log(`Socket.IO is ready at http://127.0.0.1:${(http.address() as AddressInfo).port}`));
process.on("SIGTERM", () => process.exit(0));
