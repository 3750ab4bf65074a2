package ring

import (
	"context"

	"tollgate/keys"
)

// generating returns the settings with which this process makes keys. A pair that
// was made for a ring that another instance was faster than is used the next
// time: an external signer would be left with it, and RSA takes its time. The
// caller says at the end whether the pairs are to be kept for that. The gate is
// held.
func (m *Manager) generating(ctx context.Context) (s Settings, keep func(bool)) {
	s = m.cfg.Settings
	made := make(map[keys.Algorithm][]Pair)
	given := s.Generate
	s.Generate = func(alg keys.Algorithm) (Pair, error) {
		if spare := m.spare[alg]; len(spare) > 0 {
			m.spare[alg] = spare[1:]
			made[alg] = append(made[alg], spare[0])
			return spare[0], nil
		}
		var pair Pair
		var err error
		switch {
		case given != nil:
			pair, err = given(alg)
		case m.external():
			pair, err = m.cfg.External.Generate(ctx, alg)
		default:
			pair, err = generatePair(alg)
		}
		if err == nil {
			made[alg] = append(made[alg], pair)
		}
		return pair, err
	}
	return s, func(yes bool) {
		if !yes {
			return
		}
		for alg, pairs := range made {
			m.spare[alg] = append(m.spare[alg], pairs...)
		}
	}
}

func (m *Manager) external() bool { _, none := m.cfg.External.(noSigner); return !none }
