// Two ways for Express to know who calls, behind tollgate: /who believes the
// gateway's header, /me checks the forwarded token once more with jose.
import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const issuer = process.env.ISSUER ?? "http://127.0.0.1:8080"; // TOLLGATE_ISSUER
const audience = process.env.AUDIENCE ?? "shop"; // TOLLGATE_AUDIENCE
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`)); // keeps the keys
const noKeys = ["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"]; // no fault of the token: 503

async function claims(req, res, next) {
  const token = /^Bearer ([^ ]+)$/i.exec(req.get("authorization") ?? "")?.[1];
  const refuse = () => res.status(401).set("WWW-Authenticate", 'Bearer realm="api"').json({ detail: "Not authenticated" });
  if (!token) return refuse();
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer, audience, algorithms: ["ES256"], clockTolerance: "10s", requiredClaims: ["exp", "iat", "jti", "sub"],
    });
    if (payload.token_type !== "access") return refuse(); // a refresh token has the same signer
    req.claims = payload;
  } catch (error) {
    if (error instanceof errors.JOSEError && !noKeys.includes(error.code)) return refuse();
    return res.status(503).json({ detail: "No key to check the token with" });
  }
  next();
}

const app = express();
app.get("/who", (req, res) => {
  const user = req.get("x-user-id");
  user ? res.json({ user }) : res.status(401).end();
});
app.get("/me", claims, (req, res) => res.json({ user: req.claims.sub }));
app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1");
