package quota_test

import (
	"fmt"
	"time"

	"curfew/apiclient/quota"
)

// One stop an hour: the first is claimed before it is made, and its end says
// when the next one may go.
func ExampleLog() {
	var log quota.Log
	limit := quota.Documented(quota.Stop)
	now := 10 * time.Minute // a reading of the steady clock

	permit, ok := log.Claim(1, quota.Stop, limit, now, now+time.Second, now+30*time.Second)
	fmt.Println("claimed:", ok, permit.Allows(quota.Stop))

	log.End(permit.ID(), now+2*time.Second, true)
	fmt.Println("next:", log.Ready(limit, 0, now+3*time.Second))
	// Output:
	// claimed: true true
	// next: 1h10m5.6s
}
