// Command lakemesh runs a data mesh on AWS: publish tables as data products, ask
// for them, decide, and see the access granted and taken away. With --local it
// works on an embedded local mesh instead, without an AWS account.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
