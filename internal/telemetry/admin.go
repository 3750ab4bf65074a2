package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Reasons why the admin listener refused a request, for [Metrics.AdminRefused].
const (
	AdminNoToken    = "missing"
	AdminWrong      = "wrong" // no admin token of this system, or a malformed header
	AdminRevoked    = "revoked"
	AdminExpired    = "expired"
	AdminRate       = "rate"        // a wrong token, from an address that sent many
	AdminRole       = "role"        // a good token, of a role that may not
	AdminOrigin     = "origin"      // a form of another site, to the console
	AdminNoEndpoint = "no_endpoint" // a path that there is not
	AdminUnsure     = "unavailable" // the store could not say
)

func adminReasons() []string {
	return []string{AdminNoToken, AdminWrong, AdminRevoked, AdminExpired, AdminRate, AdminRole, AdminOrigin, AdminNoEndpoint, AdminUnsure}
}

func (m *Metrics) adminCounters() {
	m.adminDenied = m.single("tollgate_admin_refused_total", "Requests that the admin listener refused, by reason.", "reason", adminReasons())
	m.auditLost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tollgate_audit_lost_total", Help: "Lines that the audit log should have and does not.",
	})
	m.registry.MustRegister(m.auditLost)
}

// AdminRefused counts a request that the admin listener refused: AdminWrong and so on.
func (m *Metrics) AdminRefused(reason string) {
	if m != nil {
		m.adminDenied.get(fold(adminReasons(), reason)).Inc()
	}
}

// AuditLost counts lines that could not be written into the audit log.
func (m *Metrics) AuditLost(lines int) {
	if m != nil {
		m.auditLost.Add(float64(lines))
	}
}
