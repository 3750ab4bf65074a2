// The axios of a front end: each request carries the access token, and one that is
// answered with 401 is sent again with the token that a refresh gives.
//
// api(baseURL, tokens) uses and replaces tokens.access and tokens.refresh. Each 401
// refreshes by itself, as the interceptors that one finds do: several requests that
// fail together refresh together, with one and the same refresh token. To tollgate
// that is one client; every one of them gets the same new pair.
//
// With { shared: true } they wait for one refresh instead, which is one request less
// for each. Two tabs still cannot do that for each other.
import axios from "axios";

export function api(baseURL, tokens, { shared = false } = {}) {
  const client = axios.create({ baseURL });
  let running = null;

  const refresh = async () => {
    const sent = tokens.refresh;
    const { data } = await axios.post(`${baseURL}/api/token/refresh/`, { refresh: sent });
    tokens.access = data.access;
    tokens.refresh = data.refresh ?? sent;
  };
  const once = () => (running ??= refresh().finally(() => (running = null)));

  client.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${tokens.access}`;
    return config;
  });
  client.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error;
    if (response?.status !== 401 || config.again) throw error;
    config.again = true; // a second 401 is the application's answer
    // One that was refused late goes out again with the token that is there by now.
    if (config.headers.Authorization === `Bearer ${tokens.access}`) await (shared ? once() : refresh());
    return client(config);
  });
  return client;
}
