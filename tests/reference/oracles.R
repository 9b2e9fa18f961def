# Numbers that the measures are checked against: Rscript tests/reference/oracles.R > tests/reference/oracles.json
# Base R alone. Inputs stand beside what R makes of them.
number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ", "), "]")
field <- function(name, x) sprintf('  "%s": %s', name, number(x))

baseline <- c(0.912, 0.905, 0.921, 0.898, 0.915)
variant <- c(0.871, 0.902, 0.884, 0.866, 0.893)
welch <- t.test(variant, baseline)
paired <- t.test(variant, baseline, paired = TRUE)

p <- c(0.001, 0.013, 0.014, 0.19, 0.35, 0.5, 0.021, 0.00002, 0.9)

successes <- c(0, 3, 17, 40)
trials <- c(40, 40, 40, 40)
ends <- function(alternative, at) mapply(
  function(x, n) binom.test(x, n, alternative = alternative, conf.level = 0.95)$conf.int[at], successes, trials
)
beyond <- mapply(function(x, n) binom.test(x, n, 0.2, alternative = "less")$p.value, successes, trials)

selected <- c(170, 412)
applicants <- c(390, 797)
fisher <- fisher.test(matrix(c(selected, applicants - selected), nrow = 2))
pooled <- sum(selected) / sum(applicants)
z <- diff(selected / applicants) / sqrt(pooled * (1 - pooled) * sum(1 / applicants))

# exemplars of a population: two groups of an attribute, and of another
sex <- rep(c(0, 1, 0, 1), times = c(400, 300, 200, 100))
old <- rep(c(0, 0, 1, 1), times = c(400, 300, 200, 100))
exemplar <- unlist(mapply(function(n, k) c(rep(1, k), rep(0, n - k)), c(400, 300, 200, 100), c(20, 45, 18, 25)))
fit <- summary(glm(exemplar ~ sex + old, family = binomial, control = list(epsilon = 1e-14, maxit = 100)))$coefficients

cat("{\n")
cat(paste(
  field("baseline", baseline), field("variant", variant),
  field("welch_p", welch$p.value), field("paired_p", paired$p.value),
  field("p", p), field("holm", p.adjust(p, "holm")), field("bh", p.adjust(p, "BH")),
  field("successes", successes), field("trials", trials),
  field("clopper_pearson_low", ends("greater", 1)), field("clopper_pearson_high", ends("less", 2)),
  field("p_at_most_a_fifth", beyond),
  field("selected", selected), field("applicants", applicants),
  field("fisher_p", fisher$p.value), field("two_proportions_z", z), field("two_proportions_p", 2 * pnorm(-abs(z))),
  field("sex", sex), field("old", old), field("exemplar", exemplar),
  field("log_odds", fit[2:3, 1]), field("log_odds_error", fit[2:3, 2]),
  field("t_quantiles", qt(0.95, c(1, 2, 4, 9, 29, 2999))),
  sep = ",\n"
))
cat("\n}\n")
