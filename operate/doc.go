// Package operate runs what a mesh needs again and again, for whatever runs it: a
// schedule of AWS Lambda, a container, a cron job. A [Job] is one of four:
//
//   - sync: what is published is brought up to date with its source (producer);
//   - verify: what was decided is compared with what is there (producer, consumer, admin);
//   - expire: what subscriptions gave whose end has passed is taken away (producer, admin);
//   - settle: departures of consumers are finished (producer).
//
// Each is safe to repeat, also while another run of it is under way, and one that was
// cut off is completed by the next. No job repairs what verify found: what that takes
// away is for somebody to look at first.
//
// The [Result] of a job says what was done in numbers with units. It is written as a
// line of JSON from which Amazon CloudWatch takes metrics ([Result.WriteMetrics]).
package operate
