package main

import (
	"errors"

	"tollgate/gateway"
	"tollgate/keys/remote"
)

// readAll reads the settings and every file that they name. Its error lists all
// that is wrong with any of them: what starts the server and what validates go
// through here.
func readAll(defaults map[string]string) (*Config, *gateway.Table, []remote.Spec, error) {
	c, err := loadConfig(defaults)
	faulty := map[string]bool{}
	var faults *configError
	if errors.As(err, &faults) {
		for _, f := range faults.Faults {
			faulty[f.Name] = true
		}
	}
	errs := []error{err}
	var table *gateway.Table
	if !faulty["TOLLGATE_ROUTES_FILE"] && !faulty["TOLLGATE_UPSTREAM"] && (c.Routes.Upstream.Value != nil || c.Routes.RoutesFile.Value != "") {
		var routesErr error
		table, _, routesErr = routes(c)
		errs = append(errs, routesErr)
	}
	var specs []remote.Spec
	if !faulty["TOLLGATE_TRUSTED_ISSUERS_FILE"] {
		var warnings []string
		var trustedErr error
		specs, warnings, trustedErr = readTrusted(c)
		if trustedErr == nil && c.Keys.TrustedIssuersFile.Value != "" && len(specs) == 0 && c.Roles.Gateway.Value && !c.Roles.Issuer.Value {
			trustedErr = errors.New("TOLLGATE_TRUSTED_ISSUERS_FILE names no issuer: a gateway that trusts nobody is a fault")
		}
		errs = append(errs, trustedErr)
		for _, w := range warnings {
			c.Warnings = append(c.Warnings, "trusted issuers: "+w)
		}
	}
	return c, table, specs, errors.Join(errs...)
}
