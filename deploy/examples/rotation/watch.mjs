// Checks access tokens of tollgate with jose, one on each line of standard input:
// node watch.mjs ISSUER AUDIENCE JWKS_URL CACHE_SECONDS < tokens
import { createRemoteJWKSet, jwtVerify } from "jose";
import { createInterface } from "node:readline";

const [issuer, audience, jwksURL, cache] = process.argv.slice(2);

// A service makes this once and keeps it. Neither time may be longer than
// TOLLGATE_KEY_PREPUBLISH: a key signs only after it was published for that long.
const keys = createRemoteJWKSet(new URL(jwksURL), {
  cacheMaxAge: 1000 * Number(cache), // 10 minutes unless set
  cooldownDuration: 1000 * Number(cache), // least time between two fetches, 30 seconds unless set
});

for await (const token of createInterface({ input: process.stdin })) {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ["ES256", "RS256", "EdDSA"], clockTolerance: "10s" });
    if (payload.token_type !== "access") throw new Error("not an access token");
    console.log(JSON.stringify({ verdict: "ok" }));
  } catch (error) {
    console.log(JSON.stringify({ verdict: `refused: ${error.message}` }));
  }
}
