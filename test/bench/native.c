/* The operations of the kernel in C, for ratios taken in one run; compiled by native.ts. Prints one figure a line. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef unsigned __int128 u128;
typedef uint64_t u64;

static const u64 M[4] = {0x43e1f593f0000001ULL, 0x2833e84879b97091ULL, 0xb85045b68181585dULL, 0x30644e72e131a029ULL};
static u64 INV; /* -1/M mod 2^64 */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Montgomery multiplication, 4 words (CIOS). */
static inline void mul(u64 *dst, const u64 *a, const u64 *b) {
  u64 t[6] = {0};
  for (int i = 0; i < 4; i++) {
    u64 carry = 0;
    for (int j = 0; j < 4; j++) {
      u128 x = (u128)a[i] * b[j] + t[j] + carry;
      t[j] = (u64)x;
      carry = x >> 64;
    }
    u128 x = (u128)t[4] + carry;
    t[4] = (u64)x;
    t[5] = x >> 64;
    u64 q = t[0] * INV;
    carry = ((u128)q * M[0] + t[0]) >> 64;
    for (int j = 1; j < 4; j++) {
      u128 y = (u128)q * M[j] + t[j] + carry;
      t[j - 1] = (u64)y;
      carry = y >> 64;
    }
    x = (u128)t[4] + carry;
    t[3] = (u64)x;
    t[4] = t[5] + (x >> 64);
  }
  u64 d[4], borrow = 0;
  for (int j = 0; j < 4; j++) {
    u128 x = (u128)t[j] - M[j] - borrow;
    d[j] = (u64)x;
    borrow = (x >> 64) & 1;
  }
  u64 keep = (t[4] | (borrow ^ 1)) ? ~0ULL : 0;
  for (int j = 0; j < 4; j++) dst[j] = (d[j] & keep) | (t[j] & ~keep);
}

static inline double mulmod(double a, double b, double q, double qi) {
  double h = a * b, l = fma(a, b, -h);
  return fma(-nearbyint(h * qi), q, h) + l;
}

/* Negacyclic transform over a 49-bit prime with fused multiply-adds: the same algorithm as the kernel's. */
static void ntt(double *a, int n, const double *table, double q) {
  double qi = 1 / q;
  int level = 0;
  for (int t = n / 2, m = 1; t >= 1; t /= 2, m *= 2, level++)
    for (int i = 0; i < m; i++) {
      double w = table[m + i], *p = a + 2 * i * t;
      for (int j = 0; j < t; j++) {
        double u = p[j];
        if (level % 4 == 3) u = fma(-nearbyint(u * qi), q, u);
        double v = mulmod(p[j + t], w, q, qi);
        p[j] = u + v;
        p[j + t] = u - v;
      }
    }
  for (int i = 0; i < n; i++) a[i] = fma(-nearbyint(a[i] * qi), q, a[i]);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 2) return 1;
  double q = atof(argv[1]); /* the prime */
  u64 x = 1;
  for (int i = 0; i < 6; i++) x *= 2 - M[0] * x;
  INV = -x;

  int n = 1000000, runs = 7;
  u64 *a = malloc(32 * (size_t)n), *b = malloc(32 * (size_t)n), *c = malloc(32 * (size_t)n);
  u64 s = 88172645463325252ULL;
  for (int i = 0; i < 4 * n; i++) {
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    a[i] = s >> (i % 4 == 3 ? 3 : 0);
    b[i] = (s * 0x9e3779b97f4a7c15ULL) >> (i % 4 == 3 ? 3 : 0);
  }
  double times[16];
  for (int r = 0; r < runs; r++) {
    double start = now();
    for (int i = 0; i < n; i++) mul(c + 4 * i, a + 4 * i, b + 4 * i);
    times[r] = (now() - start) / n;
  }
  qsort(times, runs, sizeof(double), ascending);
  printf("mul %.3f %llu\n", times[runs / 2], (unsigned long long)(c[0] ^ c[4 * n - 1]));

  int size = 32768;
  double *p = malloc(sizeof(double) * size), *table = malloc(sizeof(double) * size);
  for (int i = 0; i < size; i++) {
    p[i] = (double)(a[i] % 0x1000000000000ULL);
    table[i] = (double)(b[i] % 0x1000000000000ULL);
  }
  for (int r = 0; r < 15; r++) {
    double start = now();
    ntt(p, size, table, q);
    times[r] = (now() - start) / 1000;
  }
  qsort(times, 15, sizeof(double), ascending);
  printf("ntt %.3f %f\n", times[7], p[1]);
  return 0;
}
