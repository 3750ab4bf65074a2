// Package revocation keeps what is revoked: it takes statements, gives verdicts on
// tokens, and says when it cannot give one. It knows no token format, no HTTP and
// no policy: it reports, whoever asked decides. Of tollgate it imports its own table
// alone, which keeps digests in memory.
//
// # What can be revoked
//
// Each statement is about tokens of one issuer.
//
//	kind     names              ends                                  life of the entry
//	jti      a jti              the one token                         longest access token
//	signed   header.payload     the one token, which has no jti       longest access token
//	session  a sid              all that was minted for a log-in      longest session
//	subject  a sub              its sessions born up to that moment   longest session
//	key      a kid              every token the key has signed        does not end
//	all      nothing            every session born up to that moment  longest session
//
// An order may give another end of the life; the leeway of verification is added
// to every one. A token whose session's birth is not known is compared with a
// cut-off by its iat, and the cut-off's second is refused whole.
//
// # Who hears of it
//
// A [Feed] reads the feed from its beginning and then follows it, by reads that wait
// and by reads that look for losses, which alone make what is known fresher: another epoch, a record
// whose predecessor is not the last one seen, a sequence that fell. It reports
// records, gaps, and how far behind it is; what to do about a gap is its owner's.
//
// # Who has applied it
//
// A [Registrar] keeps a process in the register of edges: it enters it before the
// feed is read, reports once a second, and at once after a record that somebody waits
// for (Order.Wait, Record.Wanted), and takes it out when the listeners are closed. A
// [Census] counts the edges that are live, and those of them that have applied record
// n of an epoch; one that loads, or follows another epoch, has applied nothing.
//
// # The copy in each process
//
// A [Mirror] is a process's exact copy of what is in force, kept by a Feed. It answers
// without Redis and says how old its knowledge is. Nothing in it is ever replaced by
// what Redis says: entries leave by their end, or by an undo that is newer than what is
// known of them.
//
// # What Redis holds
//
// Five kinds of keys, all in the slot of the hash tag {rev}; names.go has their
// TTLs. Numbers are decimal text, times store time in µs unless said otherwise.
//
// Entry, HASH <prefix>{rev}:e:<digest>, the digest being that of (issuer, kind, id):
//
//	k, iss, id, sub  kind, issuer, id (empty for signed and all), subject for lists
//	cut              the greatest statement in force; absent when all are undone
//	n, at            sequence of the feed record that last told of it, and the time
//	                 of the change that was told
//	exp, u           what that record said of the end; and when the latest undo in
//	                 the entry's life was made, absent when there was none
//	s:<µs>           one statement: JSON {why, who, exp, u}; exp is the end of the
//	                 life in unix ms without leeway, "0" for never; u is when it was
//	                 undone, or ""
//
// Feed, STREAM <prefix>{rev}:feed, ids <store time>-0, one record for each change, in
// one field, r: the words n nonce prev d k cut exp at, separated by blanks, and then
// u=…, b=… and w=1 where they are needed. Another word with a name is passed over; what is
// written otherwise is an error, and the feed is not level.
//
//	n            sequence, one more than the record before
//	nonce, prev  random; and the nonce of the record before, "-" when there was none.
//	             A reader that meets another prev than the nonce it read last has
//	             lost something, unless all up to n-1 was trimmed
//	d, k         digest and kind
//	cut          as in the entry, 0 when all is undone
//	exp          unix second by which the entry is gone, rounded up; 0 for never
//	at           when the change was made, also in a record that is written again
//	w            "1" when somebody waits until every edge has applied it, else absent
//	u            as in the entry; absent when there was no undo
//	b            of a cut-off: the statements in force under cut, at most 16, latest
//	             first, joined by commas; absent when there are none
//
// The feed reaches back over the longest access token and its leeway. Each write
// takes older records off its beginning, a bounded number; what lives longer is
// written again at the end first, so that reading the feed from its beginning
// yields all that is in force. A list is therefore in the order of writing, not of
// revoking.
//
// Epoch, HASH <prefix>{rev}:epoch:
//
//	id              random; another id is another life of the store
//	born            when it began
//	complete_since  tokens born before are not vouched for; 0: all are
//	n, last         sequence and nonce of the latest feed record
//	trimmed         sequence of the latest record that was trimmed
//	clock           the latest store time given out
//	access_life     ms: the longest life of an access token that any process of this
//	                store allows; a bare jti is kept for that long
//	beat, confirmed the latest heartbeat, and the latest that replicas have
//	confirmed_at    when that one was written, by Redis's own time
//	edges           store time since which the register may lack edges, because it was
//	                lost alone; 0: it was not; absent while it is empty
//	shut            there while no revocations are taken: what came of a loss has not been read
//	heart,          which process has the lease to beat, and until when by Redis's
//	heart_until     own time; absent when nobody has
//
// Edges, ZSET <prefix>{rev}:edges: each name with the store time until which it is
// live: what it said last, the longest max_stale of its routes, and EdgeGrace.
//
// Edge, HASH <prefix>{rev}:edge:<name>:
//
//	inst           random, one for each process: of two with one name the second has
//	               to take another, and what one life of a name has applied does not
//	               count for the next
//	since, heard   when the process registered, and when it was heard last
//	n, epoch       the last record applied; epoch is empty while it loads, and n is 0
//	               when the feed did not have the record that was reported
//	stale, closes  µs, not store time
//	entries, keys, routes, version
//
// # Store time
//
// Births, cut-offs and epochs are ordered by one clock: max(Redis's TIME, the last
// one given out + 1), in µs, taken inside the scripts. Lives are measured by
// Redis's own TIME, because that is what expires keys. A sid of ours carries its
// session's birth (NewSessionID, Birth).
//
// # Failovers
//
// Each script may run twice, so one that a failover or a broken connection kept from
// an answer is run again within the caller's time, at most 3 s; where no other server
// may take over, at most 250 ms. The feed counts only what a primary answers.
//
// # Losing and mending
//
// Redis may come back with less than it acknowledged: neither its replicas nor its disk
// are waited for. Two things make an acknowledgement worth more, when asked for:
// Confirm (replicas) and a [Journal] (this process's disk). What is written but not
// there is ErrUnconfirmed.
//
// A primary that was deposed still answers whoever has not heard of it. With a [Heart]
// and FeedConfig.Replicas a read counts only once replicas have vouched for the server
// that was read: see pulse.
//
// A store may also come back with nothing. A store without an epoch has
// been emptied: it answers Unknown with CauseLost for tokens born before the epoch
// that then begins. What it does hold it still refuses.
//
// Other losses a Mirror notices: another epoch that did not come from the followed one,
// a gap in the feed, evicted keys. The first process to tell the store begins an epoch
// that came from the one that lost something (lose.lua): its complete_since is that
// moment. Every process that follows an epoch which the new one came from puts back
// what it holds (merge.lua). When one that knew all of the lost epoch has, nobody is
// still at it, and 3 s have passed, complete_since goes back to what it was
// (merged.lua); else a person decides ([Redis.Recover]). The fields that this leaves in
// the epoch stand in lua/mend.lua. Why so: docs/decisions/0013-losses.md.
//
// The new epoch is shut: nothing is acknowledged in it before the process that began it has
// read what the store holds, and opens it (opening.go). So a loss of that epoch, too, can be made
// up for. Why so: docs/decisions/0151-shut-until-read.md.
//
// A process that knew all shortly before the loss vouches for it before the store is filled again:
// as soon as the others have put back what it may lack (recent.go, share.lua). Why so:
// docs/decisions/0153-vouching-before-the-store-is-full.md.
//
// What is put back has no words: issuer, id, subject, reason and actor are nowhere but in
// the entries. A process with a [Journal] has kept those of its own writes, and gives
// them back afterwards (describe.lua).
package revocation
