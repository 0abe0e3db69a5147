// Objects by the SDK for JavaScript: in parts, conditionally, and by URLs and forms that it signs.
const assert = require("node:assert");
const zlib = require("node:zlib");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { Upload } = require("@aws-sdk/lib-storage");
const s3 = require("@aws-sdk/client-s3");

const client = new s3.S3Client({ forcePathStyle: true });
const Bucket = "javascript";
const put = (url, body, headers = {}) => fetch(url, { method: "PUT", body, headers });

async function byUrls() {
  const said = { Bucket, Key: "url", Metadata: { team: "ml" }, StorageClass: "STANDARD_IA", Tagging: "a=1" };
  assert.strictEqual((await put(await getSignedUrl(client, new s3.PutObjectCommand(said)), "")).status, 200);
  const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: "url" }));
  assert.deepStrictEqual([head.Metadata, head.StorageClass, head.TagCount], [{ team: "ml" }, "STANDARD_IA", 1]);
  const wrong = { Bucket, Key: "wrong", ChecksumSHA256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };
  const refused = await put(await getSignedUrl(client, new s3.PutObjectCommand(wrong)), "bytes");
  assert.match(await refused.text(), /<Code>BadDigest<\/Code>/);
  const public_ = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: "wrong", ACL: "public-read" }));
  assert.strictEqual((await put(public_, "")).status, 400);
  await assert.rejects(client.send(new s3.HeadObjectCommand({ Bucket, Key: "wrong" })));
}

async function byForms() {
  const conditions = [["content-length-range", 1, 10], ["starts-with", "$key", "forms/"]];
  const signed = await createPresignedPost(client, { Bucket, Key: "forms/${filename}", Conditions: conditions });
  const posted = (text) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(signed.fields)) form.append(name, value);
    form.append("file", new Blob([text]), "a.txt");
    return fetch(signed.url, { method: "POST", body: form });
  };
  assert.strictEqual((await posted("bytes")).status, 204);
  assert.match(await (await posted("far too many bytes")).text(), /EntityTooLarge/);
  const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: "forms/a.txt" }));
  assert.strictEqual(await got.Body.transformToString(), "bytes");
}

async function inParts() {
  const Body = Buffer.alloc(11 * 1024 * 1024, "x");
  const upload = new Upload({ client, params: { Bucket, Key: "large", Body }, partSize: 5 * 1024 * 1024 });
  const done = await upload.done();
  assert.strictEqual(new URL(done.Location).protocol, "https:");
  const part = await client.send(new s3.GetObjectCommand({ Bucket, Key: "large", PartNumber: 3 }));
  assert.deepStrictEqual([part.PartsCount, part.ContentLength], [3, 1024 * 1024]);
}

async function conditionally() {
  const once = new s3.PutObjectCommand({ Bucket, Key: "once", Body: zlib.gzipSync("1"), IfNoneMatch: "*" });
  await client.send(once);
  await assert.rejects(client.send(once), (error) => error.name === "PreconditionFailed");
  const missing = new s3.GetObjectCommand({ Bucket, Key: "missing" });
  await assert.rejects(client.send(missing), (error) => error instanceof s3.NoSuchKey && error.Key === "missing");
}

async function main() {
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  await byUrls();
  await byForms();
  await inParts();
  await conditionally();
}

main();
