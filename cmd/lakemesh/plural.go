package main

import "fmt"

// counted is a number of things: "1 table", "2 tables".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// was is the verb for a number of things.
func was(n int) string { return choose(n == 1, "was", "were") }
