// SPDX-License-Identifier: MIT
#include "base/printf.h"
#include "base/string.h"

#ifndef LBX_HAVE_LIBC

struct out {
	char *buf;
	size_t size, len;
};

static void out_char(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void out_pad(struct out *o, int n, char c)
{
	while (n-- > 0)
		out_char(o, c);
}

struct spec {
	bool left, zero, alt, plus, space, upper;
	int width, precision;	/* precision -1: none given */
	int size;		/* bytes of the argument */
};

static void out_text(struct out *o, const struct spec *sp, const char *s, size_t n)
{
	if (!sp->left)
		out_pad(o, sp->width - (int)n, ' ');
	for (size_t i = 0; i < n; i++)
		out_char(o, s[i]);
	if (sp->left)
		out_pad(o, sp->width - (int)n, ' ');
}

static void out_number(struct out *o, const struct spec *sp, u64 v, unsigned int base, char sign)
{
	const char *digits = sp->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24], prefix[3];
	int n = 0, np = 0, zeros, pad;

	if (sign)
		prefix[np++] = sign;
	if (sp->alt && base == 16 && v) {
		prefix[np++] = '0';
		prefix[np++] = sp->upper ? 'X' : 'x';
	}
	if (v == 0 && sp->precision != 0)
		text[n++] = '0';
	for (; v; v /= base)
		text[n++] = digits[v % base];
	if (sp->alt && base == 8 && (!n || text[n - 1] != '0'))
		text[n++] = '0';
	zeros = sp->precision > n ? sp->precision - n : 0;
	if (sp->zero && !sp->left && sp->precision < 0 && sp->width > n + np)
		zeros = sp->width - n - np;
	pad = sp->width - n - np - zeros;
	if (!sp->left)
		out_pad(o, pad, ' ');
	for (int i = 0; i < np; i++)
		out_char(o, prefix[i]);
	out_pad(o, zeros, '0');
	while (n)
		out_char(o, text[--n]);
	if (sp->left)
		out_pad(o, pad, ' ');
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-': sp->left = true; break;
		case '0': sp->zero = true; break;
		case '#': sp->alt = true; break;
		case '+': sp->plus = true; break;
		case ' ': sp->space = true; break;
		default: return f;
		}
	}
}

static const char *parse_size(const char *f, struct spec *sp)
{
	sp->size = 4;
	if (*f == 'z' || *f == 'j' || *f == 't') {
		sp->size = 8;
		return f + 1;
	}
	while (*f == 'l') {
		sp->size = 8;
		f++;
	}
	for (int halves = 0; *f == 'h' && halves < 2; f++)
		sp->size = ++halves == 1 ? 2 : 1;
	return f;
}

static u64 narrow(u64 v, int size, bool is_signed)
{
	if (size == 4)
		return is_signed ? (u64)(s64)(s32)v : (u32)v;
	if (size == 2)
		return is_signed ? (u64)(s64)(s16)v : (u16)v;
	if (size == 1)
		return is_signed ? (u64)(s64)(s8)v : (u8)v;
	return v;
}

int vsnprintf(char *buf, size_t size, const char *f, va_list ap)
{
	struct out o = { buf, size, 0 };

	for (; *f; f++) {
		struct spec sp = { .precision = -1 };
		u64 v;

		if (*f != '%') {
			out_char(&o, *f);
			continue;
		}
		f = parse_flags(f + 1, &sp);
		if (*f == '*') {
			sp.width = va_arg(ap, int);
			f++;
			if (sp.width < 0) {
				sp.left = true;
				sp.width = -sp.width;
			}
		}
		while (*f >= '0' && *f <= '9')
			sp.width = sp.width * 10 + (*f++ - '0');
		if (*f == '.') {
			f++;
			sp.precision = 0;
			if (*f == '*') {
				sp.precision = va_arg(ap, int);
				f++;
			}
			while (*f >= '0' && *f <= '9')
				sp.precision = sp.precision * 10 + (*f++ - '0');
		}
		f = parse_size(f, &sp);
		switch (*f) {
		case 'd':
		case 'i':
			v = sp.size == 8 ? va_arg(ap, u64) : narrow(va_arg(ap, u32), sp.size, true);
			if ((s64)v < 0)
				out_number(&o, &sp, -v, 10, '-');
			else
				out_number(&o, &sp, v, 10, sp.plus ? '+' : sp.space ? ' ' : 0);
			break;
		case 'X':
			sp.upper = true;
			fallthrough;
		case 'u':
		case 'x':
		case 'o':
			v = sp.size == 8 ? va_arg(ap, u64) : narrow(va_arg(ap, u32), sp.size, false);
			out_number(&o, &sp, v, *f == 'u' ? 10 : *f == 'o' ? 8 : 16, 0);
			break;
		case 'p':
			sp.alt = true;
			out_number(&o, &sp, (u64)(uintptr_t)va_arg(ap, void *), 16, 0);
			break;
		case 'c': {
			char c = (char)va_arg(ap, int);

			out_text(&o, &sp, &c, 1);
			break;
		}
		case 's': {
			const char *s = va_arg(ap, const char *);

			if (!s)
				s = "(null)";
			out_text(&o, &sp, s, sp.precision < 0 ? strlen(s) : strnlen(s, sp.precision));
			break;
		}
		case '%':
			out_char(&o, '%');
			break;
		default:	/* a format string of ours that is wrong: show it as it stands */
			out_char(&o, '%');
			if (!*f)
				f--;
			else
				out_char(&o, *f);
		}
	}
	if (size)
		buf[min(o.len, size - 1)] = 0;
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

#endif

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (!size)
		return 0;
	return min_t(size_t, n, size - 1);
}
