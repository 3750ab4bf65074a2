package issuer

import (
	"context"
	"fmt"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// revokeOne revokes one token: by its jti, or by what was signed where it has none.
func (i *Issuer) revokeOne(ctx context.Context, id *token.Identity, source, who string) error {
	kind, value := revocation.KindJTI, id.JTI
	if value == "" {
		kind, value = revocation.KindSigned, id.Signed()
	}
	_, err := i.Revocations.Revoke(ctx, revocation.Order{
		Kind: kind, Issuer: id.Issuer, Value: value, Subject: id.Subject, Reason: source, Actor: who, ExpiresAt: id.Ends(),
	})
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	i.Metrics.Revoked(string(kind), source)
	return nil
}
