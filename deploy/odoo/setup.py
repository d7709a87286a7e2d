"""Makes the database that deploy/odoo/up clones: four companies with their charts of accounts, the technical user with
the rights that docs/live-odoo.md names, a user with few rights, one who may lock periods and manage access rights, and
an API key for each. Runs inside `odoo shell`, which gives `env`. The keys go to /var/lib/odoo/weir.env."""

# Localisations pull in electronic invoicing networks by themselves: not for a test server.
env.registry['res.company'].install_l10n_modules = lambda self: False

charts = env['account.chart.template']
headquarters = env.ref('base.main_company')
headquarters.write({'name': 'HQ', 'country_id': env.ref('base.us').id})
charts.try_loading('generic_coa', headquarters, install_demo=False)
companies = headquarters
for name, country, currency, chart in [
    ('Entity US', 'base.us', 'base.USD', 'generic_coa'),
    ('Entity BE', 'base.be', 'base.EUR', 'be_comp'),
    ('Entity UK', 'base.uk', 'base.GBP', 'uk'),
]:
    env.ref(currency).active = True
    company = env['res.company'].create(
        {'name': name, 'country_id': env.ref(country).id, 'currency_id': env.ref(currency).id}
    )
    env.user.company_ids |= company
    charts.with_company(company).try_loading(chart, company, install_demo=False)
    companies |= company

rights = [
    'base.group_user',
    'base.group_partner_manager',
    'base.group_multi_company',
    'base.group_multi_currency',
    'product.group_product_manager',
    'sales_team.group_sale_manager',
    'project.group_project_manager',
    'hr_timesheet.group_timesheet_manager',
    'hr.group_hr_manager',
    'hr_expense.group_hr_expense_manager',
    'account.group_account_user',
    'account.group_account_manager',
]


def user(login, name, groups, of):
    return env['res.users'].with_context(no_reset_password=True).create({
        'login': login,
        'name': name,
        'email': login + '@example.test',
        'company_id': of[0].id,
        'company_ids': [(6, 0, of.ids)],
        'group_ids': [(6, 0, [env.ref(group).id for group in groups if env.ref(group, raise_if_not_found=False)])],
    })


def key(of):
    return env['res.users.apikeys'].with_user(of).sudo()._generate(None, 'weir', None)


writer = user('stream', 'Stream writer', rights, companies)
low = user('low', 'Low rights', ['base.group_user'], headquarters)
finance = user('finance', 'Finance', ['base.group_erp_manager', 'account.group_account_manager'], companies)
for company in companies:
    env['hr.employee'].with_company(company).create(
        {'name': 'Employee ' + company.name, 'company_id': company.id, 'user_id': writer.id}
    )
lines = [
    'export ODOO_API_KEY=%s' % key(writer),
    'export ODOO_API_KEY_LOW=%s' % key(low),
    'export ODOO_API_KEY_FINANCE=%s' % key(finance),
]
env.cr.commit()
with open('/var/lib/odoo/weir.env', 'w') as file:
    file.write('\n'.join(lines) + '\n')
print('WEIR-SETUP-DONE')
