// SPDX-License-Identifier: MIT
/* The smallest program: linked static. */
int main(void)
{
	return 0;
}
