package issuer

import "encoding/json"

// fieldFaults are fields, each with what is wrong with it, in the order in which the
// serializer has them.
type fieldFaults [][2]string

// MarshalJSON writes {name: [message], …}.
func (f fieldFaults) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, fault := range f {
		name, err := json.Marshal(fault[0])
		if err != nil {
			return nil, err
		}
		messages, err := json.Marshal(fault[1:])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), messages...)
	}
	return append(out, '}'), nil
}
