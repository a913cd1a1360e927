// Package apiclient talks to the EMQX Platform's deployment API: one look (Get)
// and two orders (Start, Stop), exactly as the platform documents them.
//
// It decides two things that nobody else can know: whether a request left this
// machine, and what an answer means. It never retries, waits for a quota,
// follows a redirect or guesses: when to call again is the scheduler's business,
// and every request costs quota, so a client that repeats one on its own breaks
// the promise that nothing is sent without a permit. It reads no environment and
// no file.
//
// Every call takes a quota.Permit, which only quota.Log.Claim makes, and an
// instant by which its first byte must leave:
//
//	d, meta, err := client.Get(ctx, "w41b11c0", permit, sendBy)
//	switch {
//	case errors.Is(err, apiclient.ErrNotSent):
//		log.Return(permit.ID()) // certainly nothing was written
//	case err != nil:
//		log.End(permit.ID(), steady(meta.Ended), !errors.Is(err, apiclient.ErrUnknown))
//	default:
//		log.End(permit.ID(), steady(meta.Ended), true)
//		fmt.Println(d.Name, d.Status)
//	}
//
// Meta.Sent is exact because every connection is wrapped (see conn): the wrapper
// asks the call for leave right before it hands the first byte to the kernel,
// and that is where the call is counted as sent, or dropped as late, cancelled
// or already sent once. net/http cannot get past it, neither by one of its
// silent repeats nor by a write that is still under way when it gives up. Only
// where not one byte of an order could be written may it use another connection.
//
// The other traps of net/http and how they are avoided: Transport.RoundTrip is
// used, not Client.Do, so a redirect is an answer like any other; HTTP/1.1 only,
// because "nothing was written" has no exact meaning on a shared HTTP/2
// connection; idle connections live for 5 s, below any balancer's patience;
// nothing is decompressed; headers, bodies and every text in them are capped.
//
// Texts that come from outside reach logs and labels. They are cut to a length,
// their control characters become blanks, and the credentials are taken out
// wherever a server echoes them.
package apiclient
