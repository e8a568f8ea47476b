// SPDX-License-Identifier: Apache-2.0
package main

import (
	"os"

	"github.com/valyala/fasthttp"
)

func main() {
	fasthttp.ListenAndServe("127.0.0.1:"+os.Args[1], func(c *fasthttp.RequestCtx) {
		switch string(c.Path()) {
		case "/missing":
			c.SetStatusCode(404)
		case "/broken":
			c.SetStatusCode(500)
		}
		c.SetBodyString("ok")
	})
}
