package main

import (
	"tollgate/internal/ratelimit"
	"tollgate/issuer"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
)

// openAudit opens the audit log. Its queue is emptied after the servers have stopped:
// a request in flight still tells of itself.
func (a *app) openAudit() {
	c := a.config
	a.audit = store.NewAudit(a.redis.Slow, c.Redis.Prefix.Value, store.AuditSettings{Lines: c.Admin.AuditLines.Value, Age: c.Admin.AuditAge.Value})
	a.events = store.NewAuditQueue(a.audit, a.metrics.AuditLost, a.log)
	a.server.Support("audit log", a.events.Run)
}

// auditIssuer has the public rows tell what they do.
func (a *app) auditIssuer(i *issuer.Config) { i.Audit = a.events.Note }

// auditAdmin wires who may administer, and where that is written down.
func (a *app) auditAdmin(c *admin.Config) {
	prefix := a.config.Redis.Prefix.Value
	c.AdminTokens = store.NewAdminTokens(a.redis.Slow, prefix)
	c.Audit, c.Events = a.audit, a.events
	c.Limiter = ratelimit.NewRedis(a.redis.Hot, prefix)
}
