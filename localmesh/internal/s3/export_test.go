package s3

// Honoured and Common are for the tests from outside.
var (
	Honoured = honoured
	Offered  = func() map[string]bool {
		all := map[string]bool{}
		for _, o := range Service().Operations {
			all[o.Name] = true
		}
		return all
	}
)

// Common are the members of all operations.
const Common = common
