// Command tollgate is the one binary: gateway, issuer and control plane, by the
// roles that the environment switches on, and the commands of an operator.
//
// This package is the only reader of the environment and the only place where the
// others are wired together. It decides nothing that a package below could decide:
// it reads the settings, reports every fault in them at once, builds what the
// roles need, and hands the running of it to internal/server.
//
// The settings are in config*.go: one struct per group with the variables' full
// names in its tags, from which the table in the documentation is made. What serve
// builds of them is in app*.go, what it counts in collector*.go. The Redis
// clients are in redis*.go. What "tollgate doctor" looks at is in doctor*.go, and in
// redisdoctor*.go, which serve uses at its start, too.
package main
