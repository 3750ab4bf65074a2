// Five requests at once: node five.mjs BASE_URL [shared], tokens as JSON on standard
// input. Prints the status of each and the tokens that the front end holds afterwards.
import { json } from "node:stream/consumers";
import { api } from "./api.mjs";

const [baseURL, shared] = process.argv.slice(2);
const tokens = await json(process.stdin);
const client = api(baseURL, tokens, { shared: shared === "shared" });

const answers = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => client.get(`/orders/${n}`)));
const statuses = answers.map((a) => a.value?.status ?? a.reason.response?.status ?? String(a.reason));
console.log(JSON.stringify({ statuses, ...tokens }));
