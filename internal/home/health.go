package home

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Health is what the health page says. It needs no token, and holds no secret.
type Health struct {
	// Status is "ready": a server that is not does not answer.
	Status string `json:"Status"`
	// Address is the server's URL, Started when it was started (UTC), Calls the number of
	// calls since then.
	Address string `json:"Address"`
	Started string `json:"Started"`
	Calls   int    `json:"Calls"`
	// Region is that of configurations that name none; the mesh answers for every region of its
	// partition.
	Region string `json:"Region"`
	// Accounts are those that are set up; any other twelve digits are an account, too.
	Accounts map[string]string `json:"Accounts"`
	// Services are the names of the services, as their requests are signed for.
	Services []string `json:"Services"`
}

// Partition is the partition of AWS that the mesh is in.
func (h Health) Partition() lakemesh.Partition { return lakemesh.PartitionOf(h.Region) }

// Example is an ARN of a role of any account.
func (h Health) Example() string { return h.Partition().ARN("iam", "", "123456789012", "role/Admin") }

func (c control) health(w http.ResponseWriter, r *http.Request) {
	h := Health{Status: "ready", Address: c.self.Address, Started: c.self.Started.Format(lakemesh.TimeFormat), Calls: c.mesh.Calls(), Region: c.mesh.Region(),
		Accounts: map[string]string{"mesh": c.accounts.Mesh, "producer": c.accounts.Producer, "consumer": c.accounts.Consumer}, Services: c.mesh.Services()}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		answer(w, http.StatusOK, h)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	// A client that went away needs no answer.
	_ = healthPage.Execute(w, h)
}

var healthPage = template.Must(template.New("health").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>lakemesh: the local mesh is ready</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.4rem } th { text-align: left; padding-right: 2rem; vertical-align: top; font-weight: 600; white-space: nowrap } td, th { padding-bottom: .4rem }
code { background: #f2f2f2; padding: .1em .3em; border-radius: 3px }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } code { background: #2a2a2a } }
</style>
<h1>The local mesh is ready</h1>
<table>
<tr><th scope="row">Address</th><td><code>{{.Address}}</code></td></tr>
<tr><th scope="row">Region</th><td>{{.Region}}, and every other of {{.Partition}}</td></tr>
<tr><th scope="row">Started</th><td>{{.Started}} UTC</td></tr>
<tr><th scope="row">Calls</th><td>{{.Calls}}</td></tr>
{{range $name, $id := .Accounts}}<tr><th scope="row">Account {{$name}}</th><td>{{$id}}</td></tr>
{{end}}<tr><th scope="row">Services</th><td>{{range $i, $s := .Services}}{{if $i}}, {{end}}{{$s}}{{end}}</td></tr>
</table>
<p>Any AWS program talks to it: <code>eval "$(lakemesh local env)"</code>, then, for example, <code>aws sts get-caller-identity</code>.
Any twelve digits are an account, and <code>lakemesh local env --as {{.Example}}</code> opens a role of it.</p>
</html>
`))
