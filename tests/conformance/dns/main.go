// SPDX-License-Identifier: Apache-2.0

// Stands for the suite's image of CoreDNS: answers every query with its own question and nothing else, which is all that the
// suite asks of it. Listens on port 53 of $POD_IP.
package main

import (
	"log"
	"net"
	"os"
)

const headerBytes = 12 // RFC 1035 section 4.1.1

func main() {
	at := net.UDPAddr{IP: net.ParseIP(os.Getenv("POD_IP")), Port: 53}
	socket, err := net.ListenUDP("udp", &at)
	if err != nil {
		log.Fatal(err)
	}
	message := make([]byte, 4096)
	for {
		size, from, err := socket.ReadFromUDP(message)
		if err != nil {
			log.Fatal(err)
		}
		if size < headerBytes {
			continue
		}
		message[2] |= 0x80 // QR: a response
		if _, err := socket.WriteToUDP(message[:size], from); err != nil {
			log.Print(err)
		}
	}
}
