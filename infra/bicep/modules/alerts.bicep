metadata description = 'Two alerts: the app answers with 5xx, and an orchestration (a call or a turn) failed.'

param name string
param location string
param tags object
param workspaceId string

@description('Who is told by mail; empty only shows the alerts in the portal.')
param email string

// Sampling drops requests but notes on each kept one how many it stands for: hence sum(ItemCount).
var rules = [
  {
    key: 'http-5xx'
    text: 'More than 10 requests were answered with 5xx within 5 minutes.'
    query: 'AppRequests | where toint(ResultCode) >= 500 | summarize Failed = sum(ItemCount)'
    threshold: 10
  }
  {
    key: 'failed-orchestrations'
    text: 'An orchestration failed.'
    query: 'AppTraces | where tostring(Properties.prop__functionType) == "Orchestrator" and tostring(Properties.prop__state) == "Failed" and tostring(Properties.prop__isReplay) != "True" | summarize Failed = sum(ItemCount)'
    threshold: 0
  }
]

resource team 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'voice'
    enabled: true
    emailReceivers: [{ name: 'team', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'alert-${rule.key}-${name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.key
    description: rule.text
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    skipQueryValidation: true // the tables appear with the first telemetry
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: 'Failed'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: empty(email) ? [] : [team.id] }
  }
}]
