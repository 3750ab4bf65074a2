package ring

import (
	"crypto"
	"errors"
	"fmt"

	"tollgate/keys"
)

// Validate checks the rules of a whole ring, private halves included, and names
// every one that is broken. A ring that breaks one is neither written nor used.
func (r Ring) Validate() error {
	var errs []error
	if r.Issuer == "" {
		errs = append(errs, errors.New("the ring has no issuer"))
	}
	type place struct {
		alg   keys.Algorithm
		state State
	}
	ids, places := map[string]bool{}, map[place]int{}
	active := false
	for _, k := range r.Keys {
		if ids[k.ID] {
			errs = append(errs, fmt.Errorf("key %q is there twice", k.ID))
		}
		ids[k.ID] = true
		at := place{k.Algorithm, k.State}
		places[at]++
		if (k.State == Pending || k.State == Active) && places[at] == 2 {
			errs = append(errs, fmt.Errorf("more than one %s %s key", k.State, k.Algorithm))
		}
		active = active || k.State == Active
		if err := k.validate(); err != nil {
			errs = append(errs, fmt.Errorf("key %q: %w", k.ID, err))
		}
	}
	if len(r.Keys) > 0 && !active {
		errs = append(errs, errors.New("no active key"))
	}
	return errors.Join(errs...)
}

func (k Key) validate() error {
	if _, err := keys.NewKeyWithID(k.ID, k.Public, k.Algorithm); err != nil {
		return err
	}
	if k.Algorithm.Symmetric() {
		return errors.New("a ring has no symmetric keys")
	}
	if k.Created.IsZero() {
		return errors.New("it was never made")
	}
	switch k.State {
	case Pending, Active:
		if k.Reference != "" {
			if k.Private != nil {
				return errors.New("an external key with a private half")
			}
			break
		}
		if k.Private == nil {
			return fmt.Errorf("%s without a private half", k.State)
		}
		pub, ok := k.Private.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !pub.Equal(k.Public) {
			return errors.New("the private half is another key's")
		}
	case Retired, Revoked:
		if k.Private != nil {
			return fmt.Errorf("%s with a private half", k.State)
		}
	default:
		return fmt.Errorf("unknown state %q", string(k.State))
	}
	switch {
	case k.State == Active && k.Activated.IsZero():
		return errors.New("active without a time")
	case k.State == Retired && (k.Retired.IsZero() || k.PublishedUntil.Before(k.Retired)):
		return errors.New("retired without times")
	case k.State == Revoked && k.Revoked.IsZero():
		return errors.New("revoked without a time")
	}
	return nil
}
