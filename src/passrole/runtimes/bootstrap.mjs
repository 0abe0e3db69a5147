// What a Node.js worker runs: `node bootstrap.mjs module.handler`, in the function's environment.
//
// It speaks the Lambda Runtime API and answers with the payloads of AWS's runtime for Node.js. Node's
// built-in modules are all it needs, and the function's own folder is where anything else is looked for.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html

import fs from "node:fs";
import http from "node:http";
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import util from "node:util";

const EXTENSIONS = ["", ".js", ".mjs", ".cjs"];
const LEVELS = { debug: "DEBUG", error: "ERROR", info: "INFO", log: "INFO", trace: "TRACE", warn: "WARN" };
const UNHANDLED_EXIT_CODE = 128;

// host:port/path
const address = new URL(`http://${process.env.AWS_LAMBDA_RUNTIME_API}`);
const { hostname: host, port } = address;
const API = `${address.pathname.replace(/\/$/, "")}/2018-06-01/runtime/`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// The invocation that is out: `requestId`, and how to end it.
let current = null;

// Modules of layers may be ES modules, for which Node itself does not read NODE_PATH, and Lambda does.
const FROM_LAYERS = `
import path from "node:path";
import { pathToFileURL } from "node:url";
const BARE = /^(?![./]|[a-z]+:)/;
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !BARE.test(specifier)) throw error;
    for (const modules of process.env.NODE_PATH.split(":").filter(Boolean)) {
      const parentURL = pathToFileURL(path.join(modules, "..", "layer.mjs")).href;
      try {
        return await next(specifier, { ...context, parentURL });
      } catch {
        // the next folder may have it
      }
    }
    throw error;
  }
}`;

async function main(name) {
  if (process.env.NODE_PATH) module.register?.(`data:text/javascript,${encodeURIComponent(FROM_LAYERS)}`);
  writeLogLines();
  process.on("beforeExit", () => current?.idle());
  process.on("uncaughtException", (error) => current?.fail(error));
  process.on("unhandledRejection", (reason) => unhandled(reason));
  const handler = await loaded(name);
  for (;;) {
    const { headers, body } = await call("GET", "invocation/next");
    await handle(handler, headers, body);
  }
}

class Fault extends Error {
  // A failure that has a name in Lambda, such as Runtime.HandlerNotFound.
  constructor(kind, message) {
    super(message);
    this.name = kind;
  }
}

async function loaded(name) {
  try {
    return await found(name);
  } catch (error) {
    const failure = described(error);
    console.error("Uncaught Exception", "\t" + JSON.stringify(failure));
    await call("POST", "init/error", failure, failure.errorType);
    process.exit(1);
  }
}

async function found(name) {
  const folder = path.dirname(name);
  const [moduleName, ...members] = path.basename(name).split(".");
  if (!moduleName || members.length === 0) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const exported = await imported(path.join(folder, moduleName));
  const within = (root) => members.reduce((value, member) => value?.[member], root);
  const handler = within(exported) ?? within(exported.default); // CommonJS exports are the default
  if (handler === undefined) {
    throw new Fault("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw new Fault("Runtime.HandlerNotFound", `${name} is not a function`);
  }
  return handler;
}

async function imported(name) {
  const root = path.resolve(process.env.LAMBDA_TASK_ROOT, name);
  const file = EXTENSIONS.map((extension) => root + extension).find((each) =>
    fs.statSync(each, { throwIfNoEntry: false })?.isFile(),
  );
  if (!file) throw new Fault("Runtime.ImportModuleError", `Error: Cannot find module '${name}'`);
  try {
    return await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (/MODULE_NOT_FOUND$/.test(error?.code ?? "")) {
      throw new Fault("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
}

async function handle(handler, headers, body) {
  const requestId = headers["lambda-runtime-aws-request-id"];
  const outcome = new Promise((resolve, reject) => {
    const context = contextOf(requestId, headers);
    let answer = null;
    const callback = (error, result) => {
      answer ??= error ? () => reject(error) : () => resolve(result);
      if (!context.callbackWaitsForEmptyEventLoop || error) answer();
    };
    // Whatever has not answered when nothing is left to wait for has answered null.
    current = { requestId, fail: reject, idle: () => (answer ?? (() => resolve(null)))() };
    try {
      const returned = handler(JSON.parse(body), context, callback);
      if (typeof returned?.then === "function") returned.then(resolve, reject);
    } catch (error) {
      reject(error);
    }
  });
  try {
    await call("POST", `invocation/${requestId}/response`, (await outcome) ?? null);
  } catch (error) {
    await failed(requestId, error);
  }
}

async function failed(requestId, error) {
  const failure = described(error);
  console.error("Invoke Error", "\t" + JSON.stringify(failure));
  await call("POST", `invocation/${requestId}/error`, failure, failure.errorType);
}

async function unhandled(reason) {
  if (!current) process.exit(UNHANDLED_EXIT_CODE);
  const error = new Fault("Runtime.UnhandledPromiseRejection", String(reason));
  await failed(current.requestId, error);
  process.exit(UNHANDLED_EXIT_CODE);
}

function contextOf(requestId, headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function call(method, name, content, errorType) {
  const body = content === undefined ? "" : JSON.stringify(content) ?? "null";
  const headers = { "Content-Length": Buffer.byteLength(body) };
  if (errorType) headers["Lambda-Runtime-Function-Error-Type"] = encodeURIComponent(errorType);
  return new Promise((resolve) => {
    const request = http.request({ agent, headers, host, method, path: API + name, port }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on("error", () => process.exit(0)); // the server went away
    request.end(body);
  });
}

function writeLogLines() {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...values) => {
      const moment = new Date().toISOString();
      process.stdout.write(`${moment}\t${current?.requestId ?? ""}\t${level}\t${util.format(...values)}\n`);
    };
  }
}

await main(process.argv[2]);
