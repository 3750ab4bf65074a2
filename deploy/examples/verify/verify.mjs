// Checks an access token of tollgate: node verify.mjs ISSUER AUDIENCE [JWKS_URL] < token
// Prints the claims and exits 0, or prints why not and exits 1. The arguments
// may come from ISSUER, AUDIENCE and JWKS_URL in the environment instead.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { text } from "node:stream/consumers";

const [
  issuer = process.env.ISSUER,
  audience = process.env.AUDIENCE,
  jwksURL = process.env.JWKS_URL ?? `${issuer}/.well-known/jwks.json`,
] = process.argv.slice(2);

if (!issuer || !audience) {
  console.error("usage: node verify.mjs ISSUER AUDIENCE [JWKS_URL] < token");
  process.exit(2);
}

// A service makes this once and keeps it: it caches the keys, and asks again
// when a token names a key that it has not seen.
const keys = createRemoteJWKSet(new URL(jwksURL));

try {
  const token = (await text(process.stdin)).trim();
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    algorithms: ["ES256", "RS256", "EdDSA"], // never what the token asks for
    requiredClaims: ["exp", "iat", "jti", "sub"],
    clockTolerance: "10s",
  });
  // A refresh token has the same signer and audience, and opens nothing.
  if (payload.token_type !== "access") {
    throw new Error(`token_type is ${payload.token_type}, not access`);
  }
  console.log(JSON.stringify(payload, null, 2));
} catch (error) {
  console.error(`refused: ${error.message}`);
  process.exitCode = 1;
}
