package store

import "encoding/hex"

// Every Redis key of the answers that are kept for a repeated request.
//
//	<prefix>answer:{<name>}   STRING  one sealed answer, or a request that runs; TTL: AnswerLife, or what the request may take
//
// The name is a MAC of actor and idempotency key: neither can be read from it.
type answerNames struct{ prefix string }

func (n answerNames) answer(mac []byte) string {
	return n.prefix + "answer:{" + hex.EncodeToString(mac[:16]) + "}"
}
