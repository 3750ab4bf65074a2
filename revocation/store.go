package revocation

import "context"

// Store is what Redis and Memory both do. It stands here to document that;
// consumers declare the few methods that they need.
//
// Every method but Check returns ErrUnavailable when the store gives no answer.
type Store interface {
	// Revoke makes a statement. What is revoked already stays revoked by the
	// statement that did it: same ID, the end moved out when the new one is later.
	// Cut-offs (subject, all) are a new statement each time. ErrInvalid.
	Revoke(ctx context.Context, o Order) (Revocation, error)
	// Undo takes one statement back. Undoing again changes nothing. Other
	// statements of the same entry stay in force. ErrNotFound.
	Undo(ctx context.Context, id string) (Revocation, error)
	// Get returns one statement, undone or not. ErrNotFound.
	Get(ctx context.Context, id string) (Revocation, error)
	// List returns statements, those of the most recently written entry first:
	// newest first, but for long-lived entries that the feed has carried on. An
	// entry that is written again between two pages may be missed. ErrInvalid for
	// a cursor that is not one.
	List(ctx context.Context, f Filter) (Page, error)
	// Check says what is known of a token. It has no error: see Verdict.
	Check(ctx context.Context, t *Token) Verdict
	// Now takes the next store time (µs): later than every one given out before,
	// and earlier than every one to come. It is what a session's birth is.
	Now(ctx context.Context) (int64, error)
	// Epoch returns the store's epoch. ErrNotFound when it has none.
	Epoch(ctx context.Context) (Epoch, error)
}
