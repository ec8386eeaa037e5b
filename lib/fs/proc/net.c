// SPDX-License-Identifier: MIT
/*
 * /proc/<pid>/net: Unix sockets, and what is said of the other networks, of which there are none: the heads of the tables alone.
 */
#include "base/string.h"
#include "fs/proc/internal.h"
#include "ipc/unix.h"
#include "mm/kmalloc.h"

#define SOCKETS_MAX	4096u

/* Sockets are found through the descriptors of all processes; one that only waits in a queue is not seen. */
struct sockets {
	struct file *files[SOCKETS_MAX];	/* references */
	u32 nr;
};

static bool known(const struct sockets *all, const struct file *f)
{
	for (u32 i = 0; i < all->nr; i++)
		if (all->files[i] == f)
			return true;
	return false;
}

static bool collect_one(struct file *f, void *arg)
{
	struct sockets *all = arg;
	struct socket *sock = file_socket(f);

	if (sock && sock->ops->family == LINUX_AF_UNIX && !known(all, f)) {
		file_get(f);
		all->files[all->nr++] = f;
	}
	return all->nr < SOCKETS_MAX;
}

static void collect(struct sockets *all)
{
	proc_for_each_file(collect_one, all);
}

static void put_unix(struct seq_buf *s, struct file *f)
{
	struct unix_sock *u = unix_of(file_socket(f));
	struct unix_addr *addr = load_acquire(&u->addr);
	enum unix_state state = READ_ONCE(u->state);

	/* SS_UNCONNECTED 1, SS_CONNECTED 3; the flag is __SO_ACCEPTCON */
	seq_printf(s, "0000000000000000: %08X 00000000 %08X %04X %02X %5lu", ref_read(&u->ref) + 1,
		   state == UNIX_LISTENING ? 0x10000u : 0u, u->sock.type, state == UNIX_CONNECTED ? 3u : 1u,
		   f->inode ? f->inode->ino : 0);
	if (addr && addr->len > UNIX_ADDR_BASE) {
		u32 n = addr->len - UNIX_ADDR_BASE;

		seq_putc(s, ' ');
		for (u32 i = 0; i < n && (addr->path[i] || i + 1 < n); i++)
			seq_putc(s, addr->path[i] && addr->path[i] != '\n' ? addr->path[i] : '@');
	}
	seq_putc(s, '\n');
}

static int show_unix(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	struct sockets *all = kzalloc(sizeof(*all));

	if (!all)
		return -ENOMEM;
	collect(all);
	seq_puts(s, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (u32 i = 0; i < all->nr; i++) {
		put_unix(s, all->files[i]);
		file_put(all->files[i]);
	}
	kfree(all);
	return 0;
}

static int show_sockstat(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	struct sockets *all = kzalloc(sizeof(*all));

	if (!all)
		return -ENOMEM;
	collect(all);
	seq_printf(s, "sockets: used %u\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\n", all->nr);
	seq_puts(s, "RAW: inuse 0\nFRAG: inuse 0 memory 0\n");
	for (u32 i = 0; i < all->nr; i++)
		file_put(all->files[i]);
	kfree(all);
	return 0;
}

#define DEV_HEAD \
	"Inter-|   Receive                                                |  Transmit\n" \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
#define TCP_HEAD \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode" \
	"                                                     \n"
#define TCP6_HEAD \
	"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt" \
	"   uid  timeout inode\n"
#define UDP_HEAD \
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops" \
	"            \n"
#define RAW_HEAD \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
#define UDP6_HEAD \
	"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt" \
	"   uid  timeout inode ref pointer drops\n"
#define ROUTE_HEAD \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT" \
	"                                                       \n"
#define SNMP_TEXT \
	"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests " \
	"OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits\n" \
	"Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" \
	"Icmp: InMsgs InErrors InCsumErrors OutMsgs OutErrors\nIcmp: 0 0 0 0 0\n" \
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs " \
	"InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n" \
	"Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\n" \
	"Udp: 0 0 0 0 0 0 0 0 0\n"

/* Texts that are the same for every process; key2 is the place here. */
static const char *const texts[] = {
	"IP address       HW type     Flags       HW address            Mask     Device\n",
	DEV_HEAD,
	"",
	"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n",
	"",
	"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n",
	"TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 0 0\nIpExt: InOctets OutOctets\nIpExt: 0 0\n",
	"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n",
	RAW_HEAD,
	UDP6_HEAD,
	ROUTE_HEAD,
	SNMP_TEXT,
	TCP_HEAD,
	TCP6_HEAD,
	UDP_HEAD,
	UDP6_HEAD,
};

static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, texts[ctx->key2 & PROC_LOW]);
	return 0;
}

#define TEXT(name, nr)	{ name, S_IFREG | 0444, .show = show_text, .key2 = (nr) }

const struct pseudo_entry proc_net_dir[] = {
	TEXT("arp", 0),
	TEXT("dev", 1),
	TEXT("if_inet6", 2),
	TEXT("igmp", 3),
	TEXT("ipv6_route", 4),
	TEXT("netlink", 5),
	TEXT("netstat", 6),
	TEXT("packet", 7),
	TEXT("raw", 8),
	TEXT("raw6", 9),
	TEXT("route", 10),
	TEXT("snmp", 11),
	{ "sockstat", S_IFREG | 0444, .show = show_sockstat },
	TEXT("tcp", 12),
	TEXT("tcp6", 13),
	TEXT("udp", 14),
	TEXT("udp6", 15),
	{ "unix", S_IFREG | 0444, .show = show_unix },
	{}
};
