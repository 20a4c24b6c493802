// Required by Node.js before a program: its servers listen on the loopback interface only.
const { Server } = require("node:net");

const listen = Server.prototype.listen;
Server.prototype.listen = function (where, ...rest) {
  if (typeof where === "number") return listen.call(this, { port: where, host: "127.0.0.1" }, ...rest.filter((one) => typeof one === "function"));
  if (where && typeof where === "object" && "port" in where) return listen.call(this, { ...where, host: "127.0.0.1" }, ...rest);
  return listen.call(this, where, ...rest);
};
