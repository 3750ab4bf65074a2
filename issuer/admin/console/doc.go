// Package console is the page for people of the admin listener: HTML made on the
// server, embedded, without a script.
//
// It owns pages and log-ins to them, and nothing else. Whatever a page shows or
// does goes through the admin API's own handler, inside the process, with the
// admin token of who is logged in: there is one place that authorises, decides and
// audits, and a page cannot do what its token may not. So it must know no store, no
// key and no token; of the API it knows paths and JSON, as every other client does,
// which is why each page can show the curl line that does the same.
package console
